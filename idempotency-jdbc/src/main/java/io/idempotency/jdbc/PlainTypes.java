package io.idempotency.jdbc;

import java.util.HashMap;
import java.util.Map;

/** The types of the columns, which the script for the plain statements has placeholders for. */
final class PlainTypes {

    private static final Map<String, String> STANDARD = Map.ofEntries(
            Map.entry("long", "bigint"),
            Map.entry("int", "integer"),
            Map.entry("short", "smallint"),
            Map.entry("id", "binary(16)"),
            Map.entry("name", "varchar(255)"),
            Map.entry("origin", "varchar(20)"),
            Map.entry("idValue", "varchar(4096)"),
            Map.entry("text", "clob"),
            Map.entry("bytes", "blob"),
            Map.entry("options", ""));

    private PlainTypes() {}

    static Map<String, String> of(PlainSyntax syntax) {
        Map<String, String> types = new HashMap<>(STANDARD);
        types.putAll(different(syntax));
        return types;
    }

    /** Returns the types that differ from the standard. Names and ids compare byte by byte, as far as the database can. */
    private static Map<String, String> different(PlainSyntax syntax) {
        return switch (syntax) {
            case ANSI, HSQLDB -> Map.of();
            case DERBY -> Map.of("id", "char(16) for bit data");
            case FIREBIRD ->
                Map.of(
                        "id", "char(16) character set octets",
                        "name", "varchar(255) character set utf8",
                        "idValue", "varchar(4096) character set utf8",
                        "text", "blob sub_type text character set utf8");
            case MYSQL ->
                Map.of(
                        "name", "varchar(255) character set utf8mb4 collate utf8mb4_0900_bin",
                        "idValue", "text character set utf8mb4 collate utf8mb4_0900_bin",
                        "text", "longtext character set utf8mb4",
                        "bytes", "longblob",
                        "options", " engine = innodb");
            case ORACLE ->
                Map.of(
                        "long", "number(19)",
                        "int", "number(10)",
                        "short", "number(5)",
                        "id", "raw(16)",
                        "name", "varchar2(255 char)",
                        "origin", "varchar2(20 char)",
                        "idValue", "clob");
            case SQLSERVER ->
                Map.of(
                        "name", "nvarchar(255) collate Latin1_General_100_BIN2",
                        "idValue", "nvarchar(max)",
                        "text", "nvarchar(max)",
                        "bytes", "varbinary(max)");
        };
    }
}
