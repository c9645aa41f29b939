"""The failure classes and their rules, one module a layer (`tools`: the executor layer of builders beside BuildKit)."""
