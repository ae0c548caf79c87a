package io.idempotency.samples.services;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;

/** A service, unpacked from its jar. So it starts faster, which matters because the run waits for every start. */
record Program(String classPath, String mainClass) {

    private static final String INSIDE = "BOOT-INF/";

    static Program unpack(Path jar, Path folder) throws IOException {
        try (JarFile file = new JarFile(jar.toFile())) {
            List<JarEntry> entries = file.stream()
                    .filter(entry -> entry.getName().startsWith(INSIDE) && !entry.isDirectory())
                    .toList();
            for (JarEntry entry : entries) {
                Path target = folder.resolve(entry.getName().substring(INSIDE.length()));
                Files.createDirectories(target.getParent());
                try (InputStream content = file.getInputStream(entry)) {
                    Files.copy(content, target);
                }
            }
            return new Program(
                    folder.resolve("classes")
                            + File.pathSeparator
                            + folder.resolve("lib").resolve("*"),
                    file.getManifest().getMainAttributes().getValue("Start-Class"));
        }
    }

    /** Returns the arguments for a JVM that runs it. */
    List<String> arguments() {
        return List.of("-classpath", classPath, mainClass);
    }
}
