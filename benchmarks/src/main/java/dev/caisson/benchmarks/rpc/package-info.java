/**
 * {@code ./caisson bench rpc}: our server and grpc-java's under the same load in one run.
 *
 * <p>Four kinds of process: {@link dev.caisson.benchmarks.rpc.RpcBench} directs and reports and is idle while a sample
 * runs; {@link dev.caisson.benchmarks.rpc.BenchServer}, one per server measured, pinned to one core, reads its own CPU
 * time and allocation; {@link dev.caisson.benchmarks.rpc.LoadGenerator}, pinned to another core, speaks HTTP/2 by hand,
 * checks each reply and reads its own CPU time, so that it can be seen not to be the limit; {@link
 * dev.caisson.benchmarks.rpc.BenchClient}, one per channel measured, calls in its place and is measured itself. They talk in lines over
 * standard input and output.
 */
@NullMarked
package dev.caisson.benchmarks.rpc;

import org.jspecify.annotations.NullMarked;
