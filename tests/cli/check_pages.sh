#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# check_pages.sh PROGRAM: each verb has a help page of at most 80 columns whose options stand in its
# manual page and in the three completions, too. Examples name no option that does not exist.
set -euo pipefail
program=$1
status=0
complain() {
    echo "$*"
    status=1
}

for shell in bash zsh fish; do
    declare "script_$shell=$("$program" completion "$shell")"
done
bash -n <<< "$script_bash" || complain "the bash completion is not valid"

long=$("$program" help | awk 'length($0) > 80')
[ -z "$long" ] || complain "nucgrow help: wider than 80 columns: $long"

while read -r verb; do
    page=$("$program" help $verb)
    [ "$page" = "$("$program" $verb --help)" ] || complain "$verb: --help and help differ"
    long=$(awk '{ n = gsub(/[\x80-\xbf]/, "&") } length($0) - n > 80' <<< "$page")
    [ -z "$long" ] || complain "$verb: wider than 80 columns: $long"
    grep -q '^Examples:' <<< "$page" || complain "$verb: no example"
    manual=$("$program" help --man $verb)
    while read -r option; do
        name=${option#--}
        [[ $manual == *"${option//-/\\-}"* ]] || complain "$verb: $option is not in the manual page"
        [[ $script_bash == *"$option"* ]] || complain "$verb: $option is not completed by bash"
        [[ $script_zsh == *"$option"* ]] || complain "$verb: $option is not completed by zsh"
        [[ $script_fish == *"-l $name"* ]] || complain "$verb: $option is not completed by fish"
    done < <(sed -nE 's/^  (    |-., )(--[A-Za-z0-9-]+).*/\2/p' <<< "$page")
    while read -r option; do
        grep -qE -- "^  (    |-., )$option\b" <<< "$page" ||
            complain "$verb: an example has $option, which is no option"
    done < <(sed -n '/^Examples:/,$p' <<< "$page" | grep -E "nucgrow $verb( |$)" |
             grep -oE -- '--[A-Za-z0-9-]+' || true)
done < <("$program" help --list)
exit "$status"
