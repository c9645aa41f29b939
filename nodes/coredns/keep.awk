# Prints a Corefile without the plugins that are not in `has`, their blocks included.
BEGIN { split(has, names, " "); for (i in names) known[names[i]] = 1 }
{
  opens = gsub(/[{]/, "{"); closes = gsub(/[}]/, "}")
  if (!skipping && depth == 1 && $1 != "}" && $1 !~ /^#/ && !($1 in known)) skipping = 1
  if (!skipping && NF) print
  depth += opens - closes
  if (skipping && depth <= 1) skipping = 0
}
