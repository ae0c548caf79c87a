package io.idempotency.cli;

import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Reads times from arguments. */
final class Moments {

    private static final Pattern SHORT = Pattern.compile("(\\d{1,9})([smhd])");

    private Moments() {}

    /** Reads {@code 90s}, {@code 30m}, {@code 24h}, {@code 7d}, or a duration as ISO 8601 writes it. */
    static final class OfDuration implements ITypeConverter<Duration> {

        @Override
        public Duration convert(String text) {
            try {
                Matcher matcher = SHORT.matcher(text.toLowerCase(Locale.ROOT));
                return matcher.matches() ? duration(matcher) : Duration.parse(text);
            } catch (DateTimeException e) {
                throw new TypeConversionException(
                        "\"" + text + "\" is no duration such as 90s, 30m, 24h, 7d or PT1H30M");
            }
        }

        private static Duration duration(Matcher matcher) {
            long number = Long.parseLong(matcher.group(1));
            return switch (matcher.group(2)) {
                case "s" -> Duration.ofSeconds(number);
                case "m" -> Duration.ofMinutes(number);
                case "h" -> Duration.ofHours(number);
                default -> Duration.ofDays(number);
            };
        }
    }

    /** Reads a moment as ISO 8601 writes it, or how long ago it was. */
    static final class OfInstant implements ITypeConverter<Instant> {

        @Override
        public Instant convert(String text) {
            try {
                return text.contains("T") && !text.startsWith("P")
                        ? Instant.parse(text)
                        : Instant.now().minus(new OfDuration().convert(text));
            } catch (DateTimeException e) {
                throw new TypeConversionException(
                        "\"" + text + "\" is no moment such as 2026-11-28T09:00:00Z, and no time ago such as 24h");
            }
        }
    }
}
