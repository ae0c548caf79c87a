package io.idempotency.benchmarks;

import tools.jackson.databind.ObjectWriter;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/** How the processes of the benchmark talk to each other, and how results are kept. */
final class Json {

    static final JsonMapper MAPPER = JsonMapper.builder().build();
    static final ObjectWriter PRETTY = MAPPER.writer().with(SerializationFeature.INDENT_OUTPUT);

    private Json() {}
}
