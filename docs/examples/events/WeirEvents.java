import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.UUID;

/**
 * Tells Weir of a sign-in, a sign-out or a failed sign-in. Java 11 or newer, no library.
 *
 * <pre>
 * var weir = new WeirEvents("https://weir.example.org:8443/v1/events", Path.of("/etc/weir-client/token"), Path.of("/var/spool/weir/events.ndjson"));
 * weir.event("sign-in", account, request.getRemoteAddr(), request.getRemotePort());   // also "sign-out", "failure"
 * </pre>
 *
 * What cannot be sent at once goes into the spool file; ship.sh sends it later. An authority of your own goes into a trust store:
 * -Djavax.net.ssl.trustStore=FILE. Behind a proxy, address and port are what the proxy hands on.
 */
public final class WeirEvents {
    private final HttpClient client =
        HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).connectTimeout(Duration.ofSeconds(2)).build();
    private final URI url;
    private final String token;
    private final Path spool;

    public WeirEvents(String url, Path tokenFile, Path spool) throws IOException {
        this.url = URI.create(url);
        this.token = Files.readString(tokenFile, StandardCharsets.US_ASCII).strip();
        this.spool = spool;
    }

    /** True when it is kept; false when it waits in the spool, or is wrong. Port 0: not known. */
    public boolean event(String action, String account, String address, int port) throws IOException, InterruptedException {
        String line = "{\"time\":" + quoted(Instant.now().truncatedTo(ChronoUnit.MILLIS).toString())
            + ",\"action\":" + quoted(action) + ",\"account\":" + quoted(account)
            + ",\"address\":" + quoted(address) + ",\"port\":" + (port == 0 ? "null" : Integer.toString(port)) + "}\n";
        int status = post(line);
        // 422: the line is wrong and stays so; the answer said why. Anything else may be better later.
        if (status != 200 && status != 422) {
            synchronized (this) {
                Files.writeString(spool, line, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
            }
        }
        return status == 200;
    }

    private int post(String body) throws InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(url)
            .timeout(Duration.ofSeconds(2))
            .header("Authorization", "Bearer " + token)
            .header("Content-Type", "application/x-ndjson")
            .header("Idempotency-Key", UUID.randomUUID().toString())
            .POST(HttpRequest.BodyPublishers.ofString(body))
            .build();
        try {
            return client.send(request, HttpResponse.BodyHandlers.discarding()).statusCode();
        } catch (IOException e) {
            return 0;
        }
    }

    private static String quoted(String text) {
        StringBuilder out = new StringBuilder("\"");
        for (char c : text.toCharArray()) {
            if (c == '"' || c == '\\') {
                out.append('\\').append(c);
            } else if (c < ' ') {
                out.append(String.format("\\u%04x", (int) c));
            } else {
                out.append(c);
            }
        }
        return out.append('"').toString();
    }

    /** WeirEvents URL TOKEN_FILE SPOOL ACTION ACCOUNT ADDRESS [PORT] */
    public static void main(String[] args) throws Exception {
        WeirEvents weir = new WeirEvents(args[0], Path.of(args[1]), Path.of(args[2]));
        boolean kept = weir.event(args[3], args[4], args[5], args.length > 6 ? Integer.parseInt(args[6]) : 0);
        System.exit(kept ? 0 : 1);
    }
}
