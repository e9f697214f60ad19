package dev.caisson.cli;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Commands to try on a store that has just been started; each works as printed on this machine.
 *
 * @param host where the store listens
 * @param password how a shell gets at the password; null if there is none, empty if it has to be asked for
 */
record StoreTrial(String host, int port, @Nullable String password) {
    private static final Set<String> USUAL_HOSTS = Set.of("127.0.0.1", "localhost", "0.0.0.0", "::", "::1");

    /** With redis-cli where that is installed, else with curl, which speaks to a socket by its telnet scheme. */
    List<String> commands() {
        boolean usual = USUAL_HOSTS.contains(host);
        if (isOnPath("redis-cli")) {
            String cli = "redis-cli" + (usual ? "" : " -h " + host) + " -p " + port;
            if (password != null) {
                cli = password.isEmpty() ? cli + " --askpass" : "REDISCLI_AUTH=" + password + " " + cli;
            }
            return List.of(cli + " set greeting hello", cli + " get greeting");
        }
        String printf = "printf '%sSET greeting hello\\r\\nGET greeting\\r\\nQUIT\\r\\n'";
        if (password == null) {
            printf = printf.replace("%s", "");
        } else {
            String asked = "\"$(read -rsp 'password: ' p; printf %s \"$p\")\"";
            printf = printf.replace("%s", "AUTH %s\\r\\n") + " " + (password.isEmpty() ? asked : password);
        }
        return List.of(printf + " | curl -s telnet://" + (usual ? "127.0.0.1" : host) + ":" + port);
    }

    private static boolean isOnPath(String program) {
        String path = System.getenv("PATH");
        for (String folder : path == null ? new String[0] : path.split(File.pathSeparator, -1)) {
            try {
                if (!folder.isEmpty() && Files.isExecutable(Path.of(folder, program))) {
                    return true;
                }
            } catch (InvalidPathException notAFolder) {
                // as the shell does: on to the next
            }
        }
        return false;
    }
}
