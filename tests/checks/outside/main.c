/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A program of someone who installed the library. */
#include <nucgrow.h>
#include <string.h>

int main(void)
{
    printf("linked with nucgrow %s\n", ng_version());
    return strcmp(ng_status_name(NG_OK), "OK") == 0 ? 0 : 1;
}
