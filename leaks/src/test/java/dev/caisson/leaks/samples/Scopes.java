package dev.caisson.leaks.samples;

import java.lang.management.ManagementFactory;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import javax.management.JMException;
import javax.management.ObjectName;

/** A stand-in for scope's management bean, with rows that the samples add. */
public final class Scopes implements ScopesMXBean {
    public static final Scopes BEAN = new Scopes();

    private final List<Row> rows = new CopyOnWriteArrayList<>();

    private Scopes() {}

    public void register() throws JMException {
        ManagementFactory.getPlatformMBeanServer().registerMBean(this, name());
    }

    public void unregister() throws JMException {
        rows.clear();
        ManagementFactory.getPlatformMBeanServer().unregisterMBean(name());
    }

    public void add(Row row) {
        rows.add(row);
    }

    @Override
    public Row[] getRows() {
        return rows.toArray(new Row[0]);
    }

    private static ObjectName name() throws JMException {
        return new ObjectName("dev.caisson:type=Scopes");
    }
}
