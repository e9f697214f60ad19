package dev.caisson.leaks.samples;

import org.junit.platform.engine.EngineDiscoveryRequest;
import org.junit.platform.engine.ExecutionRequest;
import org.junit.platform.engine.TestDescriptor;
import org.junit.platform.engine.TestEngine;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.UniqueId;
import org.junit.platform.engine.support.descriptor.AbstractTestDescriptor;
import org.junit.platform.engine.support.descriptor.EngineDescriptor;

/** An engine with one test, which leaks; it knows nothing of leak checks. */
public final class LeakyEngine implements TestEngine {
    @Override
    public String getId() {
        return "leaky";
    }

    @Override
    public TestDescriptor discover(EngineDiscoveryRequest request, UniqueId id) {
        EngineDescriptor engine = new EngineDescriptor(id, "Leaky");
        engine.addChild(new Leak(id.append("test", "leak")));
        return engine;
    }

    @Override
    public void execute(ExecutionRequest request) {
        TestDescriptor engine = request.getRootTestDescriptor();
        request.getEngineExecutionListener().executionStarted(engine);
        for (TestDescriptor test : engine.getChildren()) {
            request.getEngineExecutionListener().executionStarted(test);
            Planted.thread("planted-by-engine");
            request.getEngineExecutionListener().executionFinished(test, TestExecutionResult.successful());
        }
        request.getEngineExecutionListener().executionFinished(engine, TestExecutionResult.successful());
    }

    private static final class Leak extends AbstractTestDescriptor {
        Leak(UniqueId id) {
            super(id, "the leaky engine's test");
        }

        @Override
        public Type getType() {
            return Type.TEST;
        }
    }
}
