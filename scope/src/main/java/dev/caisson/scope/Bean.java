package dev.caisson.scope;

import java.lang.management.ManagementFactory;
import java.util.Map;
import javax.management.InstanceAlreadyExistsException;
import javax.management.InstanceNotFoundException;
import javax.management.JMException;
import javax.management.MBeanServer;
import javax.management.MBeanServerFactory;
import javax.management.ObjectName;
import org.jspecify.annotations.Nullable;

/** The management bean; see {@link ScopesMXBean}. */
final class Bean implements ScopesMXBean {
    private final ObjectName name;

    private Bean(ObjectName name) {
        this.name = name;
    }

    /** Whether the management classes are in use already, so that registering takes no time to speak of. */
    static boolean isCheap() {
        return !MBeanServerFactory.findMBeanServer(null).isEmpty();
    }

    /** Loads the management classes. */
    static void prepare() {
        ManagementFactory.getPlatformMBeanServer();
    }

    /** Registers it, or says in the log why not. */
    static @Nullable Bean register() {
        try {
            MBeanServer server = ManagementFactory.getPlatformMBeanServer();
            try {
                return register(server, new ObjectName(NAME));
            } catch (InstanceAlreadyExistsException otherCopy) {
                String copy = Integer.toHexString(System.identityHashCode(Bean.class));
                return register(server, new ObjectName(NAME + ",copy=" + copy));
            }
        } catch (JMException | RuntimeException refused) {
            System.getLogger("dev.caisson.scope")
                    .log(System.Logger.Level.WARNING, "the management bean " + NAME + " was not registered", refused);
            return null;
        }
    }

    private static Bean register(MBeanServer server, ObjectName name) throws JMException {
        Bean bean = new Bean(name);
        server.registerMBean(bean, name);
        return bean;
    }

    void unregister() {
        try {
            ManagementFactory.getPlatformMBeanServer().unregisterMBean(name);
        } catch (InstanceNotFoundException gone) {
            return; // somebody else took it away
        } catch (JMException | RuntimeException refused) {
            System.getLogger("dev.caisson.scope")
                    .log(System.Logger.Level.WARNING, "the management bean " + name + " was not unregistered", refused);
        }
    }

    @Override
    public int getRootCount() {
        return Registry.census().roots();
    }

    @Override
    public String[] getRoots() {
        return Registry.rootNames();
    }

    @Override
    public long getCount() {
        return Registry.census().rows().size();
    }

    @Override
    public Map<String, Long> getCounts() {
        return Registry.census().counts();
    }

    @Override
    public long getDroppedCount() {
        return Registry.droppedCount();
    }

    @Override
    public Row[] getRows() {
        return Registry.census().rows().stream().map(Row::new).toArray(Row[]::new);
    }

    @Override
    public String tree() {
        return Registry.census().tree();
    }
}
