// What `ngrok-drain completion` prints: for each shell a few lines that ask the program itself what can come next.

export const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof SHELLS)[number];

/** In each, the program's name and the words up to the cursor go to `ngrok-drain __complete`. */
export const scripts: Readonly<Record<Shell, string>> = {
  bash: `# bash completion of ngrok-drain: source <(ngrok-drain completion bash)
_ngrok_drain() {
  local line
  COMPREPLY=()
  while IFS= read -r line; do
    case $line in
      :0) compopt -o default 2>/dev/null ;;
      :*) ;;
      *) COMPREPLY+=("\${line%%$'\\t'*}") ;;
    esac
  done < <("\${COMP_WORDS[0]}" __complete "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _ngrok_drain ngrok-drain
`,
  zsh: `#compdef ngrok-drain
# zsh completion of ngrok-drain: source <(ngrok-drain completion zsh)
_ngrok_drain() {
  local line
  local -a words_and_meanings
  local files=0
  while IFS= read -r line; do
    case $line in
      :0) files=1 ;;
      :*) ;;
      *) words_and_meanings+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}") ;;
    esac
  done < <("\${words[1]}" __complete "\${(@)words[2,CURRENT]}" 2>/dev/null)
  if (( files )); then _files; else _describe 'ngrok-drain' words_and_meanings; fi
}
compdef _ngrok_drain ngrok-drain
`,
  fish: `# fish completion of ngrok-drain: ngrok-drain completion fish | source
function __ngrok_drain_complete
  set -l before (commandline -opc)
  set -l current (commandline -ct)
  $before[1] __complete $before[2..-1] "$current" 2>/dev/null | string match --invert ':*'
end
complete -c ngrok-drain -f -a '(__ngrok_drain_complete)'
complete -c ngrok-drain -l kubeconfig -r -F
`,
};
