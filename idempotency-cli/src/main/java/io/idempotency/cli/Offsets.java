package io.idempotency.cli;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** A range of offsets, both included. */
record Offsets(long first, long last) {

    private static final Pattern RANGE = Pattern.compile("(\\d{1,18})(?:\\.\\.(\\d{1,18}))?");

    /** Reads {@code 18000..18999}, or one offset. */
    static final class Converter implements ITypeConverter<Offsets> {

        @Override
        public Offsets convert(String text) {
            Matcher matcher = RANGE.matcher(text);
            if (!matcher.matches()) {
                throw new TypeConversionException("\"" + text + "\" is no range of offsets such as 18000..18999");
            }
            long first = Long.parseLong(matcher.group(1));
            return new Offsets(first, matcher.group(2) == null ? first : Long.parseLong(matcher.group(2)));
        }
    }
}
