import java.util.Locale;

/**
 * Draws the transaction of a message: {@code java dev/TransactionPicture.java > docs/transaction.svg}.
 * {@code DocumentationTest} compares the file with what this program draws.
 *
 * <p>The picture follows the reader's light or dark mode. Its own background keeps it readable on every page.
 */
final class TransactionPicture {

    private static final int WIDTH = 960;
    private static final int HEIGHT = 330;

    /** The middle lines of the lanes. */
    private static final int KAFKA = 40;

    private static final int APPLICATION = 120;
    private static final int DATABASE = 200;

    /** When things happen, from left to right. */
    private static final int POLL = 150;

    private static final int BEGIN = 230;
    private static final int LISTENER = 340;
    private static final int END = 660;
    private static final int OFFSET = 840;

    private final StringBuilder svg = new StringBuilder();

    public static void main(String[] arguments) {
        System.out.print(new TransactionPicture().draw());
    }

    String draw() {
        add(
                "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" font-size=\"14\" role=\"img\""
                        + " font-family=\"Helvetica, Arial, sans-serif\">",
                WIDTH, HEIGHT);
        add("<title>One database transaction holds the id and the rows; the offset is committed after it</title>");
        svg.append(STYLE);
        add("<rect class=\"page\" width=\"%d\" height=\"%d\" rx=\"8\"/>", WIDTH, HEIGHT);
        add(
                "<rect class=\"transaction\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"60\" rx=\"8\"/>",
                BEGIN - 25, DATABASE - 22, END - BEGIN + 50);
        lane("Kafka", KAFKA);
        lane("application", APPLICATION);
        lane("database", DATABASE);

        arrow(POLL, KAFKA, APPLICATION, "record");
        arrow(BEGIN, APPLICATION, DATABASE, "begin");
        arrow(BEGIN + 70, APPLICATION, DATABASE, "claim id");
        add(
                "<rect class=\"listener\" x=\"%d\" y=\"%d\" width=\"150\" height=\"36\" rx=\"6\"/>",
                LISTENER, APPLICATION - 18);
        text("middle", "own", LISTENER + 75, APPLICATION + 5, "your listener");
        arrow(LISTENER + 75, APPLICATION + 18, DATABASE, "rows");
        arrow(END - 90, APPLICATION, DATABASE, "proof");
        arrow(END, APPLICATION, DATABASE, "commit");
        arrow(OFFSET, APPLICATION, KAFKA, "offset");
        text("middle", "own", (BEGIN + END) / 2, DATABASE + 29, "one transaction: the id and the rows");

        crash(
                POLL,
                END,
                "If the process dies here, the database rolls back.",
                "Kafka delivers the record again: it is processed.");
        crash(
                END + 10,
                OFFSET,
                "If it dies here, Kafka delivers the record",
                "again: its id is known, so it is skipped.");
        add("</svg>");
        return svg.toString();
    }

    private void lane(String name, int y) {
        text("end", "", 118, y + 5, name);
        add("<path class=\"lane\" d=\"M130 %d H%d\"/>", y, WIDTH - 30);
    }

    private void arrow(int x, int from, int to, String label) {
        int direction = to > from ? 1 : -1;
        add("<path class=\"arrow\" d=\"M%d %d V%d\"/>", x, from, to - direction * 8);
        add("<path class=\"head\" d=\"M%d %d l-5 %d h10 z\"/>", x, to, -direction * 9);
        text("start", "", x + 8, Math.max(from, to) == DATABASE ? DATABASE - 35 : APPLICATION - 35, label);
    }

    private void crash(int from, int to, String first, String second) {
        int y = DATABASE + 62;
        add("<path class=\"span\" d=\"M%d %d v8 H%d v-8\"/>", from, y, to);
        int x = (from + to) / 2;
        text("middle", "", x, y + 32, first);
        text("middle", "", x, y + 52, second);
    }

    private void text(String anchor, String style, int x, int y, String text) {
        String type = style.isEmpty() ? "" : " class=\"" + style + "\"";
        add("<text%s text-anchor=\"%s\" x=\"%d\" y=\"%d\">%s</text>", type, anchor, x, y, text);
    }

    private void add(String format, Object... values) {
        svg.append(String.format(Locale.ROOT, format, values)).append('\n');
    }

    private static final String STYLE = """
            <style>
            .page { fill: #ffffff; stroke: #d0d7de; }
            .transaction { fill: #ddf4ff; stroke: #0969da; }
            .listener { fill: #dafbe1; stroke: #1a7f37; }
            .lane { stroke: #d0d7de; }
            .arrow, .span { fill: none; stroke: #57606a; stroke-width: 1.5; }
            .head { fill: #57606a; }
            text { fill: #24292f; }
            .own { font-weight: bold; }
            @media (prefers-color-scheme: dark) {
            .page { fill: #0d1117; stroke: #30363d; }
            .transaction { fill: #0c2d6b; stroke: #58a6ff; }
            .listener { fill: #033a16; stroke: #3fb950; }
            .lane { stroke: #30363d; }
            .arrow, .span { stroke: #8b949e; }
            .head { fill: #8b949e; }
            text { fill: #e6edf3; }
            }
            </style>
            """;
}
