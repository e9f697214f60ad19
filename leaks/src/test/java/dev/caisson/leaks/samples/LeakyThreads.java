package dev.caisson.leaks.samples;

import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;

@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
public class LeakyThreads {
    @Test
    @Order(1)
    void leavesThread() {
        Planted.thread("planted-platform");
    }

    @Test
    @Order(2)
    void isClean() {}

    @Test
    @Order(3)
    void leavesVirtualThread() {
        Planted.virtualThread("planted-virtual");
    }
}
