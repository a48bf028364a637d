# SPDX-License-Identifier: GPL-3.0-or-later
#
# zsh offers.zsh FOLDER-OF-COMPLETIONS FOLDER-OF-PROGRAMS LINE WORD...: types LINE in a zsh with our completions, and waits until each WORD
# is offered. Whoever starts it sees to a limit of time.
zmodload zsh/zpty
completions=$1 programs=$2 line=$3
shift 3
zpty -b shell zsh -f -i
zpty -w shell "PS1= fpath=($completions \$fpath) path=($programs \$path); autoload -Uz compinit && compinit -u -D; bindkey '^I' list-choices; print REA''DY"
zpty -r -m shell shown '*READY*'
shown=
zpty -w -n shell "$line"$'\t'
for word in "$@"; do
	[[ $shown == *$word* ]] || { zpty -r -m shell more "*$word*"; shown+=$more; }
done
zpty -d shell
