package io.idempotency.samples.clickhouse;

import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;

/** A ClickHouse server, by HTTP. Thread-safe. */
final class ClickHouse {

    /** The first version that takes a token for each insert. Earlier ones compare blocks. */
    private static final int FIRST_WITH_TOKENS = 22;

    private final HttpClient http =
            HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(5)).build();
    private final String url;

    ClickHouse(String url) {
        this.url = url;
    }

    /** Returns the answer to a query, or runs a statement. */
    String query(String sql) throws IOException, InterruptedException {
        return post("", sql);
    }

    /**
     * Inserts rows, one JSON object each, by one block. A replicated table drops the insert if it has the token, or the very same block, among its last ones.
     *
     * @throws IOException if the server is away or refuses; the rows may be there all the same
     */
    void insert(String table, String token, List<String> rows) throws IOException, InterruptedException {
        String settings = "max_insert_block_size=" + Math.max(1, rows.size());
        if (version() >= FIRST_WITH_TOKENS) {
            settings += "&insert_deduplication_token=" + token;
        }
        String insert =
                "query=" + URLEncoder.encode("insert into " + table + " format JSONEachRow", StandardCharsets.UTF_8);
        String unused = post("?" + settings + "&" + insert, String.join("\n", rows));
    }

    private int version() throws IOException, InterruptedException {
        return Integer.parseInt(query("select version()").split("\\.", 2)[0]);
    }

    private String post(String parameters, String body) throws IOException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(URI.create(url + parameters))
                .timeout(Duration.ofSeconds(60))
                .POST(HttpRequest.BodyPublishers.ofString(body))
                .build();
        HttpResponse<String> response = http.send(request, HttpResponse.BodyHandlers.ofString());
        if (response.statusCode() != 200) {
            throw new IOException("ClickHouse answered " + response.statusCode() + ": " + response.body());
        }
        return response.body().trim();
    }
}
