package dev.caisson.store.contract;

import java.lang.classfile.Attributes;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassModel;
import java.lang.classfile.CodeElement;
import java.lang.classfile.CodeTransform;
import java.lang.classfile.MethodModel;
import java.lang.classfile.MethodTransform;
import java.lang.classfile.Opcode;
import java.lang.classfile.attribute.SourceFileAttribute;
import java.lang.classfile.instruction.BranchInstruction;
import java.lang.classfile.instruction.ConstantInstruction;
import java.lang.classfile.instruction.LineNumber;
import java.lang.classfile.instruction.OperatorInstruction;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Small errors, made in compiled code: a condition turned round or moved by one, a plus that becomes a minus, a constant
 * that is one too large. A class has as many mutants as it has such places in methods that run commands.
 */
final class Mutants {
    private static final Map<Opcode, Opcode> OTHER = Map.ofEntries(
            Map.entry(Opcode.IFEQ, Opcode.IFNE),
            Map.entry(Opcode.IFNE, Opcode.IFEQ),
            Map.entry(Opcode.IFLT, Opcode.IFLE),
            Map.entry(Opcode.IFLE, Opcode.IFLT),
            Map.entry(Opcode.IFGT, Opcode.IFGE),
            Map.entry(Opcode.IFGE, Opcode.IFGT),
            Map.entry(Opcode.IF_ICMPEQ, Opcode.IF_ICMPNE),
            Map.entry(Opcode.IF_ICMPNE, Opcode.IF_ICMPEQ),
            Map.entry(Opcode.IF_ICMPLT, Opcode.IF_ICMPLE),
            Map.entry(Opcode.IF_ICMPLE, Opcode.IF_ICMPLT),
            Map.entry(Opcode.IF_ICMPGT, Opcode.IF_ICMPGE),
            Map.entry(Opcode.IF_ICMPGE, Opcode.IF_ICMPGT),
            Map.entry(Opcode.IFNULL, Opcode.IFNONNULL),
            Map.entry(Opcode.IFNONNULL, Opcode.IFNULL),
            Map.entry(Opcode.IADD, Opcode.ISUB),
            Map.entry(Opcode.ISUB, Opcode.IADD),
            Map.entry(Opcode.LADD, Opcode.LSUB),
            Map.entry(Opcode.LSUB, Opcode.LADD),
            Map.entry(Opcode.DADD, Opcode.DSUB),
            Map.entry(Opcode.IAND, Opcode.IOR),
            Map.entry(Opcode.LAND, Opcode.LOR));

    private Mutants() {}

    /** The places of a class where something can be changed, each told as {@code File.java:12 method IADD -> ISUB}. */
    static List<String> places(byte[] classBytes) {
        var places = new ArrayList<String>();
        transform(classBytes, -1, places);
        return places;
    }

    /** The class with one place changed. */
    static byte[] mutant(byte[] classBytes, int place) {
        return transform(classBytes, place, new ArrayList<>());
    }

    private static byte[] transform(byte[] classBytes, int place, List<String> places) {
        ClassFile classFile = ClassFile.of();
        ClassModel model = classFile.parse(classBytes);
        String source = model.findAttribute(Attributes.sourceFile())
                .map(SourceFileAttribute::sourceFile)
                .map(Object::toString)
                .orElse(model.thisClass().asInternalName());
        return classFile.transformClass(model, (builder, element) -> {
            if (element instanceof MethodModel method && runsCommands(method)) {
                builder.transformMethod(
                        method,
                        MethodTransform.transformingCode(change(source + " " + method.methodName(), place, places)));
            } else {
                builder.with(element);
            }
        });
    }

    private static boolean runsCommands(MethodModel method) {
        String name = method.methodName().stringValue();
        return !name.equals("register") && !name.startsWith("<") && !name.equals("toString");
    }

    private static CodeTransform change(String where, int place, List<String> places) {
        int[] line = new int[1];
        return (builder, element) -> {
            if (element instanceof LineNumber number) {
                line[0] = number.line();
            }
            String to = changed(element);
            if (to.isEmpty()) {
                builder.with(element);
                return;
            }
            boolean here = places.size() == place;
            places.add(where + ":" + line[0] + " " + to);
            if (!here) {
                builder.with(element);
                return;
            }
            switch (element) {
                case BranchInstruction branch -> builder.branch(OTHER.get(branch.opcode()), branch.target());
                case OperatorInstruction operator -> builder.with(OperatorInstruction.of(OTHER.get(operator.opcode())));
                case ConstantInstruction constant -> builder.loadConstant(other((Integer) constant.constantValue()));
                default -> throw new IllegalStateException("no change for " + element);
            }
        };
    }

    /** One more; but of true, which is 1, false. */
    private static int other(int constant) {
        return constant == 1 ? 0 : constant + 1;
    }

    /** What becomes of an instruction; empty if nothing does. */
    private static String changed(CodeElement element) {
        return switch (element) {
            case BranchInstruction branch
            when OTHER.containsKey(branch.opcode()) -> branch.opcode() + " -> " + OTHER.get(branch.opcode());
            case OperatorInstruction operator
            when OTHER.containsKey(operator.opcode()) -> operator.opcode() + " -> " + OTHER.get(operator.opcode());
            case ConstantInstruction constant
            when constant.constantValue() instanceof Integer value -> value + " -> " + other(value);
            default -> "";
        };
    }
}
