# What the completion of zsh offers behind a command line: starts an interactive zsh on a terminal of its own, types the line and Tab. Run at the top of the project.
zmodload zsh/zpty
zpty -b completing zsh -f -i
zpty -w completing "PS1= PS2= fpath=($PWD/docs/completions \$fpath); unsetopt zle_bracketed_paste; autoload -Uz compinit && compinit -u -D"
zpty -w completing 'compadd() { local -a found; [[ ${@[1,(i)(-|--)]} == *-[OAD]* ]] || { builtin compadd -O found "$@"; print -rl -- "offered:"$^found }; builtin compadd "$@" }'
zpty -w completing 'ended() { print -r -- "all-""offered" }; begun() { comppostfuncs=(ended) }; compprefuncs=(begun); print ready""now'
zpty -r completing before '*readynow*'
zpty -n -w completing "$1"$'\t'
zpty -r completing offered '*all-offered*'
print -r -- $offered
zpty -d completing
