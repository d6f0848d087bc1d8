package dev.decisionsidecar;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.StringWriter;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The README's snippets compile, in the order of the page, as one method. */
final class ReadmeTest {
    private static final Pattern SNIPPET = Pattern.compile("^```java\n(.*?)^```$", Pattern.MULTILINE | Pattern.DOTALL);

    @Test
    void theSnippetsCompile(@TempDir Path directory) throws Exception {
        List<String> lines = SNIPPET.matcher(Files.readString(Path.of("README.md")))
                .results()
                .map((MatchResult each) -> each.group(1))
                .flatMap(String::lines)
                .toList();
        String imports =
                lines.stream().filter(each -> each.startsWith("import ")).collect(Collectors.joining("\n"));
        String body = lines.stream().filter(each -> !each.startsWith("import ")).collect(Collectors.joining("\n"));
        assertTrue(lines.size() > 30);
        String source = imports + "\nclass Readme { static void page() {\n" + body + "\n} }\n";
        JavaFileObject file =
                new SimpleJavaFileObject(URI.create("string:///Readme.java"), JavaFileObject.Kind.SOURCE) {
                    @Override
                    public CharSequence getCharContent(boolean ignoreEncodingErrors) {
                        return source;
                    }
                };
        StringWriter complaints = new StringWriter();
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        List<String> options =
                List.of("-d", directory.toString(), "-cp", System.getProperty("java.class.path"), "-proc:none");
        compiler.getTask(complaints, null, null, options, null, List.of(file)).call();
        assertEquals("", complaints.toString());
    }
}
