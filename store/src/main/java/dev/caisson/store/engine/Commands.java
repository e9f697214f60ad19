package dev.caisson.store.engine;

/** All commands of the store. */
public final class Commands {
    private Commands() {}

    /** A new table of all of them, with counts of its own. */
    public static CommandTable all() {
        CommandTable table = CommandTable.of(
                ConnectionCommands::register,
                ClientCommands::register,
                AclCommands::register,
                TableCommands::register,
                ConfigCommands::register,
                ServerCommands::register,
                PersistenceCommands::register,
                PubSubCommands::register,
                KeyCommands::register,
                LeaseCommands::register,
                HashCommands::register,
                HashExpiryCommands::register,
                ListCommands::register,
                SetCommands::register,
                SortedSetCommands::register,
                SortedSetRanges::register,
                SortedSetAlgebra::register,
                StreamCommands::register,
                StringCommands::register,
                BitCommands::register,
                TransactionCommands::register);
        return table.with(t -> BlockingCommands.register(t, table)).with(t -> WatchCommands.register(t, table));
    }
}
