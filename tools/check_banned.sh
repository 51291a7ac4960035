#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Calls that the library must not make, each with what to call instead. Usage: check_banned.sh ROOT
set -euo pipefail
cd "${1:-.}"

# call | instead | files that may use it
banned='
malloc   | ng_alloc         | src/base/alloc.c
calloc   | ng_alloc         | src/base/alloc.c
realloc  | ng_realloc       | src/base/alloc.c
free     | ng_free          | src/base/alloc.c src/report/notes.c
strdup   | ng_text_copy     |
atoi     | ng_parse_int     |
atol     | ng_parse_int     |
atof     | ng_parse_real    |
strtol   | ng_parse_int     | src/base/text.c
strtod   | ng_parse_real    | src/base/text.c src/data/number.c
strtok   | strcspn          |
sprintf  | snprintf         |
vsprintf | vsnprintf        |
strcpy   | snprintf, memcpy |
strcat   | snprintf         |
gets     | ng_file_read     |
printf   | a result or a warning: the library does not print |
puts     | a result or a warning: the library does not print |
perror   | NG_FAIL          |
exit     | NG_FAIL          |
abort    | NG_FAIL          |
rand     | ng_random_open   |
srand    | ng_random_open   |
setlocale | nothing: the locale belongs to the program |
'
status=0
while IFS='|' read -r call instead allowed; do
    call=${call// /}
    [ -n "$call" ] || continue
    while IFS= read -r hit; do
        file=${hit%%:*}
        case " $allowed " in
            *" $file "*) ;;
            *) echo "$hit"; echo "    $call is banned; use $instead" ; status=1 ;;
        esac
    done < <(grep -rnE --include='*.[ch]' "(^|[^A-Za-z0-9_])$call\(" src |
             grep -vE '^[^:]+:[0-9]+: *(/\*|\*)' || true)
done <<< "$banned"
exit "$status"
