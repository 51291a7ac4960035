# Movies: what is known, what is missing and which flag supplies it, where a file breaks off.
mrc() { # file, bytes of pixels (72: three frames of 4 x 3 of two bytes)
    { printf '\4\0\0\0\3\0\0\0\3\0\0\0\1\0\0\0'; head -c 192 /dev/zero; printf 'MAP \104\104\0\0'
      head -c 808 /dev/zero; head -c "$2" /dev/zero; } > "$1"
}
mrc whole.mrc 72
mrc cut.mrc 50
printf '\377\330\377\340 a photo' > photo.jpg
mkdir empty
nucgrow info whole.mrc cut.mrc photo.jpg empty
