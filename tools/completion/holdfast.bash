# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# tools/completion/holdfast.bash - completion of holdfast's programs in bash
#
# Verbs and options are read from the program's own --help, so they are those of the program that is installed. Installed
# under each program's name, from where bash-completion loads it; or: . tools/completion/holdfast.bash

_holdfast()
{
	local program=${COMP_WORDS[0]} word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} verb=${COMP_WORDS[1]-}

	COMPREPLY=()
	if [ "$COMP_CWORD" -eq 1 ]; then
		mapfile -t COMPREPLY < <(compgen -W "$("$program" --help 2>/dev/null | sed -n 's/^  \([a-z][a-z-]*\)  *[^ ].*/\1/p') --help --version" -- "$word")
		return
	fi
	case $before in
	--hash) mapfile -t COMPREPLY < <(compgen -W "sha256 sha512 sha1" -- "$word") ;;
	--io) mapfile -t COMPREPLY < <(compgen -W "auto pread map direct" -- "$word") ;;
	--format) mapfile -t COMPREPLY < <(compgen -W "0 1" -- "$word") ;;
	--data-block-size | --hash-block-size)
		mapfile -t COMPREPLY < <(compgen -W "512 1024 2048 4096 8192 16384 32768 65536" -- "$word")
		;;
	*)
		case $word in
		-*)
			mapfile -t COMPREPLY < <(compgen -W "$("$program" "$verb" --help 2>/dev/null | sed -n 's/^  \(--[a-z-]*\).*/\1/p')" -- "$word")
			;;
		*)
			compopt -o filenames 2>/dev/null
			mapfile -t COMPREPLY < <(compgen -f -- "$word")
			;;
		esac
		;;
	esac
}

complete -F _holdfast holdfast-verity holdfast-policy holdfast-attest holdfast-image
