/**
 * The script with which bash completes: what is typed is handed over as words, and nothing of it is run. (The
 * scripts of others put it into an `eval`, which follows its redirections and runs its substitutions.)
 */
export function bashCompletion(tool: string): string {
  const name = `_${tool.replaceAll('-', '_')}`;
  return `${name}() {
  local line directive=0
  COMPREPLY=()
  while IFS= read -r line; do
    case $line in
    :*) directive=\${line#:} ;;
    *) COMPREPLY+=("\${line%%$'\\t'*}") ;;
    esac
  done < <("$1" complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
  # 4: there are no files to be completed
  if ((directive == 4)); then compopt +o default 2>/dev/null; fi
  return 0
}
complete -o default -F ${name} ${tool}
`;
}
