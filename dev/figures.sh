#!/bin/sh
# Prints the figures by which the structure of the modules is judged. Compile first: mvn test-compile
#   dev/figures.sh            counts, for each module, and the graph of io.idempotency.jdbc
#   dev/figures.sh -v         lists what was counted, too
# Lengths are read from the sources, which spotless formats; parameters and references from the classes.
set -eu
cd "$(dirname "$0")/.."
verbose=${1:-}
modules="idempotency-core idempotency-jdbc idempotency-spring-boot-starter idempotency-testkit"
# The rooms of io.idempotency.jdbc, by the names of types; what is in neither is shared. ArchitectureTest has the same patterns.
journal=${ROOM_JOURNAL:-'^(Journal.*|.+Journals|Partition.+|(Hashed)?Ids|IdTable|Archive.*|BinaryFuseFilter|SoughtKeys)$'}
table=${ROOM_TABLE:-'^(Message(Row|State|Lookup|Table|Dialect|Purge|Insert|Update|Arrival)|Table[A-Z].*|Lease.+|LockedLease|ClaimedRows)$'}

sources() { find "$1/src/main/java" -name '*.java' ! -name package-info.java ! -name module-info.java | sort; }

files_over() { sources "$1" | xargs wc -l | awk -v most="$2" '$2 != "total" && $1 > most { sub(".*/", "", $2); print $2, $1 }'; }

# Methods and constructors, whose braces spotless puts at the indentation of their first line.
long_methods() {
    sources "$1" | xargs awk -v most="$2" '
        FNR == 1 { delete begin; header = "" }
        { match($0, /^ */); indent = RLENGTH }
        (indent == 4 || indent == 8 || indent == 12) && /^ *[A-Za-z@<]/ { first[indent] = FNR; text[indent] = $0 }
        /\{$/ && !/ (class|interface|enum|record) [A-Za-z]/ {
            at = indent
            if (!(at in first)) next
            if (text[at] ~ /\(/ && text[at] !~ /^ *(if|for|while|switch|try|do|else|catch|synchronized \(|return)|=|->|;$/) { begin[at] = first[at]; name[at] = text[at] }
        }
        /^ *\}$/ && (indent in begin) {
            lines = FNR - begin[indent] + 1
            if (lines > most) { file = FILENAME; sub(".*/", "", file); call = name[indent]; sub(/\(.*/, "", call); sub(/.* /, "", call); print file, call, lines }
            delete begin[indent]
        }'
}

# Parameters of methods and constructors, and components of records, with what generics hold left out.
classes() { find "$1/target/classes" -name '*.class' ! -name 'package-info.class' ! -name module-info.class | sort; }

signatures() {
    classes "$1" | xargs javap -p 2>/dev/null | awk '
        /(^| )(class|interface) / && /\{$/ { isRecord = / extends java.lang.Record/; type = $0; sub(/ (extends|implements) .*/, "", type); sub(/ *\{$/, "", type)
            sub(/.*(class|interface) /, "", type); sub(/<.*/, "", type); next }
        /\(.*\)/ && !/lambda\$|access\$/ {
            list = $0; sub(/^[^(]*\(/, "", list); sub(/\).*/, "", list)
            name = $0; sub(/\(.*/, "", name); sub(/.* /, "", name)
            while (gsub(/<[^<>]*>/, "", list)) { }
            count = list == "" ? 0 : gsub(/,/, ",", list) + 1
            kind = isRecord && name == type ? "record" : "method"
            short = type; sub(/.*\./, "", short); call = name; sub(/.*\./, "", call)
            print kind, count, (kind == "record" ? short : short "." call) }'
}
many_parameters() { signatures "$1" | awk -v most="$2" '$1 == "method" && $2 > most { print $3, $2 }'; }
large_records() { signatures "$1" | awk -v most="$2" '$1 == "record" && $2 > most { print $3, $2 }'; }

show() { # title, lines
    printf '  %-28s %s\n' "$1" "$(printf '%s' "$2" | grep -c . || true)"
    [ -z "$verbose" ] || [ -z "$2" ] || printf '%s\n' "$2" | sed 's/^/      /'
}

for module in $modules; do
    [ -d "$module/target/classes" ] || { echo "$module is not compiled" >&2; exit 1; }
    echo "$module: $(sources "$module" | wc -l | tr -d ' ') files"
    show "files over 250 lines" "$(files_over "$module" 250)"
    show "files over 300 lines" "$(files_over "$module" 300)"
    show "methods over 40 lines" "$(long_methods "$module" 40)"
    show "more than 5 parameters" "$(many_parameters "$module" 5)"
    show "records over 8 components" "$(large_records "$module" 8)"
done

echo "io.idempotency.jdbc, references between types (nested ones count as the one around them):"
jdeps -v idempotency-jdbc/target/classes/io/idempotency/jdbc 2>/dev/null | awk '
    $2 == "->" && $1 ~ /^io\.idempotency\.jdbc\./ && $3 ~ /^io\.idempotency\.jdbc\./ {
        sub(/^io\.idempotency\.jdbc\./, "", $1); sub(/^io\.idempotency\.jdbc\./, "", $3); sub(/\$.*/, "", $1); sub(/\$.*/, "", $3)
        if ($1 != $3) print $1, $3 }' | sort -u | awk -v journal="$journal" -v table="$table" -v verbose="$verbose" '
    function room(type) { return type ~ journal ? "journal" : type ~ table ? "table" : "shared" }
    function size(of, n, key) { n = 0; for (key in types) if (room(key) == of) n++; return n }
    { types[$1]; types[$2]; reach[$1, $2] = 1; from = room($1); to = room($2); between[from, to]++
      if (from != to) listed[from, to] = listed[from, to] "      " $1 " -> " $2 "\n" }
    END {
        for (k in types) for (i in types) if ((i, k) in reach) for (j in types) if ((k, j) in reach) reach[i, j] = 1
        for (i in types) { n = 0; all = ""; for (j in types) if (i == j || ((i, j) in reach && (j, i) in reach)) { n++; all = all " " j } if (n > most) { most = n; knot = all } }
        printf "  %-28s %d\n", "types in the largest knot", most
        if (verbose) print "     " knot
        printf "  %-28s table %d, journal %d, shared %d\n", "types of each room", size("table"), size("journal"), size("shared")
        split("table journal shared", rooms, " ")
        for (i = 1; i <= 3; i++) for (j = 1; j <= 3; j++) if (i != j) {
            printf "  %-28s %d\n", rooms[i] " -> " rooms[j], between[rooms[i], rooms[j]]
            if (verbose && (rooms[i] != "shared" && rooms[j] != "shared" || rooms[i] == "shared")) printf "%s", listed[rooms[i], rooms[j]] }
    }'
