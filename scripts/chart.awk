# Draws the replicas over time from Headroom's log lines, "12:00:01.250 info  demo: 0 → 1 replica: …".

function seconds(clock, parts) {
  split(clock, parts, ":")
  return parts[1] * 3600 + parts[2] * 60 + parts[3]
}

/listening on/ { first = seconds($1) }
/ → [0-9]+ replicas?: / {
  for (i = 1; i <= NF; i++) if ($i == "→") count = $(i + 1)
  at = seconds($1) - first
  if (at < 0) at += 86400 # over midnight
  changes++
  when[changes] = at
  to[changes] = count
  if (count > most) most = count
  last = at
}

END {
  width = 72
  span = last + 2
  for (level = most; level >= 1; level--) {
    line = ""
    now = 0
    change = 1
    for (x = 0; x < width; x++) {
      # The most that was asked for within this column.
      shown = now
      while (change <= changes && when[change] < (x + 1) * span / width) {
        now = to[change++]
        if (now > shown) shown = now
      }
      line = line (shown >= level ? "█" : " ")
    }
    printf "  %3d │%s\n", level, line
  }
  printf "    0 └"
  for (x = 0; x < width; x++) printf "─"
  printf "\n       0 s%" (width - 4) "d s\n", span
}
