<?php
/*
Plugin Name: Weir sign-in log
Description: Tells Weir of sign-ins, sign-outs and failed sign-ins. Copy this file and weir.php into wp-content/mu-plugins.
*/
require_once __DIR__ . '/weir.php';

add_action('wp_login', function ($login) {
    weir_event('sign-in', $login, array('method' => 'password'));
});
add_action('wp_login_failed', function ($login) {
    weir_event('failure', $login, array('method' => 'password'));
});
// WordPress 5.5 and newer say who signed out.
add_action('wp_logout', function ($user_id) {
    $user = get_userdata($user_id);
    if ($user) {
        weir_event('sign-out', $user->user_login);
    }
});
