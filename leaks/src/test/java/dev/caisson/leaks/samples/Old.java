package dev.caisson.leaks.samples;

import dev.caisson.leaks.NoLeaks;
import org.junit.FixMethodOrder;
import org.junit.Test;
import org.junit.runners.MethodSorters;

/** Tests of JUnit 4, for the Vintage engine. */
@FixMethodOrder(MethodSorters.NAME_ASCENDING)
public class Old {
    @Test
    public void aLeavesThread() {
        Planted.thread("planted-by-vintage");
    }

    @Test
    public void bIsClean() throws InterruptedException {
        Planted.end(Planted.thread("ended"));
    }

    @Test
    @NoLeaks(off = "shows that annotations count here too")
    public void cIsNotChecked() {
        Planted.thread("planted-unchecked");
    }
}
