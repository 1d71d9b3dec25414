"""What every command does around its work: sources, outputs, what made a result, tables, processes."""
