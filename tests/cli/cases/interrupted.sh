# SPDX-License-Identifier: GPL-3.0-or-later
# Hours of work, stopped after its first sign of life: exit code 130, nothing left behind.
nucgrow simulate ensemble -o out --particles 1000000 --threads 1 2> /dev/null &
while [ ! -d out ]; do sleep 0.01; done
sleep 0.2
kill -INT $!
wait $!
echo "exit code $?"
ls
