#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The walls between the rooms (docs/architecture.md): what a room may include. Usage: check_includes.sh ROOT
set -euo pipefail
cd "${1:-.}"

may_include() { # room -> rooms
    case $1 in
        base) echo ;;
        data | image | physics) echo base ;;
        sim) echo base image ;;
        particle) echo base data image sim ;;
        ensemble) echo base data physics ;;
        solve) echo base physics ;;
        fit) echo base data physics ensemble solve ;;
        predict) echo base data physics ensemble solve ;;
        synth) echo base data image physics solve sim ;;
        report) echo base data image ;;
        *) echo "unknown room $1" >&2; return 1 ;;
    esac
}

room_of_header() { # public header -> room
    case $1 in
        cluster) echo base ;;
        material | samples) echo ensemble ;;
        crystal | emitter) echo physics ;;
        forward | coalescence | crystal_fit | crystals) echo fit ;;
        hidden | nucleation | radii) echo ensemble ;;
        crystallization) echo solve ;;
        synth_crystals | synth_sim) echo synth ;;
        pairs) echo solve ;;
        sim_points) echo sim ;;
        movie | particles) echo data ;;
        detect | track) echo particle ;;
        *) echo "$1" ;;
    esac
}

status=0
check() { # file room
    local header room allowed
    allowed=" $2 $(may_include "$2") "
    while read -r header; do
        room=$(room_of_header "$header")
        case $allowed in
            *" $room "*) ;;
            *) echo "$1: room $2 may not include <nucgrow/$header.h> of room $room"; status=1 ;;
        esac
    done < <(sed -nE 's|^ *# *include *<nucgrow/([a-z_]+)\.h>.*|\1|p' "$1")
    if grep -nE '^ *# *include *"\.\./' "$1"; then
        echo "$1: reaches into another room"
        status=1
    fi
}

for file in src/*/*.[ch]; do
    check "$file" "$(basename "$(dirname "$file")")"
done
for header in include/nucgrow/*.h; do
    check "$header" "$(room_of_header "$(basename "$header" .h)")"
done
exit "$status"
