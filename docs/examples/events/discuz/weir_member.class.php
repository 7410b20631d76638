<?php
// Discuz! X3: source/plugin/weir/member.class.php, beside weir.php. In the plugin's design (developer mode) name the module "member.class"
// of the type "page hooks". The hook runs when member.php?mod=logging shows its message.
if (!defined('IN_DISCUZ')) {
    exit('Access Denied');
}
require_once __DIR__ . '/weir.php';

class plugin_weir
{
}

class plugin_weir_member extends plugin_weir
{
    public function logging_weir_message($hook)
    {
        global $_G;
        $message = isset($hook['param'][0]) ? $hook['param'][0] : '';
        $typed = isset($_POST['username']) ? $_POST['username'] : '';
        if (strpos($message, 'login_succeed') !== false) {
            // The session says who it is; what was typed may have been an e-mail address.
            weir_event('sign-in', $_G['member']['username'], array('method' => 'password'));
        } elseif (strpos($message, 'login_invalid') !== false || strpos($message, 'login_password_invalid') !== false) {
            weir_event('failure', $typed, array('method' => 'password'));
        } elseif (strpos($message, 'logout_succeed') !== false) {
            // By now $_G is a guest's: the account is what it was before, kept by the hook below.
            weir_event('sign-out', self::$before);
        }
    }

    private static $before = '';

    public function logging()
    {
        global $_G;
        self::$before = isset($_G['member']['username']) ? $_G['member']['username'] : '';
    }
}
