# From the pixels of a simulated movie to the page, and from a movie of one's own.
cat > run.yaml <<'END'
simulate tem:
  frames: 12
  field-nm: 60
  particles: 15
  dose-per-px: 1600
detect:
track:
report:
END
nucgrow run run.yaml -o results --quiet && ls results results/synthetic
grep -c '<image\|data:image/png' results/report.html
grep -o 'movie.tif: 12 frames of 113 × 113 pixels' results/report.html
cp results/synthetic/movie.tif mine.tif
cat > mine.yaml <<'END'
detect:
  files: mine.tif
track:
  events: results/mine-events.csv
report:
END
nucgrow run mine.yaml -o again --quiet; ls again results/mine-events.csv
grep -o 'mine.tif: 12 frames' again/report.html
nucgrow report again -o page.html
nucgrow report again -o page.html --movie missing.tif --force
echo "exit code $?"
nucgrow report . -o none.html --tracks again/tracks.csv
echo "exit code $?"
