<?php
// Tells Weir of a sign-in, a sign-out or a failed sign-in. PHP 7.2 or newer, no extension.
//
//   require 'weir.php';
//   weir_event('sign-in', $account);                  // also 'sign-out', 'failure'
//
// What cannot be sent at once goes into the spool file; ship.sh sends it later. A sign-in never waits longer than WEIR_TIMEOUT seconds.
// The folder of the spool must belong to the user PHP runs as and be closed to others: it holds accounts.

defined('WEIR_URL') || define('WEIR_URL', getenv('WEIR_URL') ?: 'https://weir.example.org:8443/v1/events');
defined('WEIR_TOKEN_FILE') || define('WEIR_TOKEN_FILE', getenv('WEIR_TOKEN_FILE') ?: '/etc/weir-client/token');
defined('WEIR_CA') || define('WEIR_CA', getenv('WEIR_CA') ?: '');               // PEM; empty: the system's authorities
defined('WEIR_SPOOL') || define('WEIR_SPOOL', getenv('WEIR_SPOOL') ?: '/var/spool/weir/events.ndjson');
defined('WEIR_TIMEOUT') || define('WEIR_TIMEOUT', 2);

function weir_event($action, $account, array $more = array())
{
    // Behind a reverse proxy REMOTE_ADDR and REMOTE_PORT are the proxy's: let it hand on both, and read them here, from it alone.
    $event = $more + array(
        'time' => (new DateTime())->format('Y-m-d\TH:i:s.vP'),
        'action' => $action,
        'account' => (string) $account,
        'address' => isset($_SERVER['REMOTE_ADDR']) ? $_SERVER['REMOTE_ADDR'] : '',
        'port' => isset($_SERVER['REMOTE_PORT']) ? (int) $_SERVER['REMOTE_PORT'] : null,
    );
    $line = json_encode($event, JSON_UNESCAPED_UNICODE | JSON_INVALID_UTF8_SUBSTITUTE) . "\n";
    $status = weir_post($line);
    // 422: the line is wrong and stays so; the answer said why. Anything else may be better later.
    if ($status !== 200 && $status !== 422) {
        file_put_contents(WEIR_SPOOL, $line, FILE_APPEND | LOCK_EX);
    }
    return $status === 200;
}

function weir_post($body)
{
    $head = array(
        'Authorization: Bearer ' . trim(file_get_contents(WEIR_TOKEN_FILE)),
        'Content-Type: application/x-ndjson',
        'Idempotency-Key: ' . bin2hex(random_bytes(16)),
        'Connection: close',
    );
    $http = array('method' => 'POST', 'header' => implode("\r\n", $head), 'content' => $body, 'timeout' => WEIR_TIMEOUT,
        'ignore_errors' => true, 'protocol_version' => 1.1);
    $ssl = WEIR_CA === '' ? array() : array('cafile' => WEIR_CA);
    $answer = @file_get_contents(WEIR_URL, false, stream_context_create(array('http' => $http, 'ssl' => $ssl)));
    if ($answer === false || !isset($http_response_header[0]) || !preg_match('/ (\d{3})/', $http_response_header[0], $found)) {
        return 0;
    }
    return (int) $found[1];
}
