package io.idempotency.crash;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.spi.ToolProvider;

/**
 * Has the classes of a short life loaded from an archive of the virtual machine, which nearly halves its start. The first life that ends in order writes
 * it. An archive takes classes from jars only, so folders of the class path are packed first.
 */
final class ClassArchive {

    private static final Path FOLDER = folder();
    private static final Path ARCHIVE = deletedAtExit(FOLDER.resolve("classes.jsa"));

    /** The class path of this process, with jars instead of folders. */
    static final String CLASS_PATH = classPath();

    private ClassArchive() {}

    /** Returns the option that uses the archive, or else writes it. One life runs at a time, and has written it when it has ended. */
    static String option() {
        return Files.exists(ARCHIVE) ? "-XX:SharedArchiveFile=" + ARCHIVE : "-XX:ArchiveClassesAtExit=" + ARCHIVE;
    }

    private static Path folder() {
        try {
            return deletedAtExit(Files.createTempDirectory("lives"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The last one registered is deleted first, so a folder is empty before its turn comes. */
    private static Path deletedAtExit(Path path) {
        path.toFile().deleteOnExit();
        return path;
    }

    private static String classPath() {
        List<String> jars = new ArrayList<>();
        for (String entry : Pattern.compile(File.pathSeparator)
                .splitAsStream(System.getProperty("java.class.path"))
                .toList()) {
            jars.add(Files.isDirectory(Path.of(entry)) ? packed(entry, jars.size()) : entry);
        }
        return String.join(File.pathSeparator, jars);
    }

    private static String packed(String folder, int number) {
        String jar = deletedAtExit(FOLDER.resolve("folder-" + number + ".jar")).toString();
        int code = ToolProvider.findFirst("jar")
                .orElseThrow()
                .run(System.out, System.err, "--create", "--no-compress", "--file", jar, "-C", folder, ".");
        if (code != 0) {
            throw new IllegalStateException("jar ended with code " + code);
        }
        return jar;
    }
}
