/**
 * The {@code caisson} command. {@link dev.caisson.cli.Main} is the start and the list of sub-commands; each sub-command
 * is a class named after it. Everything a command opens belongs to one {@link dev.caisson.scope.Scope}, which is closed
 * before the command returns.
 */
@NullMarked
package dev.caisson.cli;

import org.jspecify.annotations.NullMarked;
