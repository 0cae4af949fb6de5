#!/usr/bin/env bash
# Clients of the lab, round after round until stopped. Names are hostile on purpose: they must appear as text.
set -u
v4=$1 v6=$2
trap 'kill $(jobs -p) 2>/dev/null' EXIT

# What lasts: a download, a session, an upload.
curl -s -o /dev/null -H 'Host: stream.example.net' "http://$v4/stream" &
for port in 22 443 993; do
  (exec 3<>"/dev/tcp/$v4/$port" && cat <&3 >/dev/null) &
done
(exec 3<>"/dev/tcp/$v4/5201" && cat <&3 >/dev/null & while :; do head -c 90000 /dev/zero; sleep 0.2; done >"/dev/tcp/$v4/5201") &

round=0
while :; do
  round=$((round + 1))
  curl -s -o /dev/null -m 5 -H 'Host: www.example.org' "http://$v4/"
  curl -s -o /dev/null -m 5 -H 'Host: slow.example.org' "http://$v4/slow"
  curl -s -o /dev/null -m 5 -g -H 'Host: v6.example.org' "http://[$v6]/"
  curl -s -o /dev/null -m 5 -H 'Host: <img src=x onerror=alert(1)>' "http://$v4/"
  curl -s -o /dev/null -m 5 -H 'Host: $(reboot).example' "http://$v4/"
  curl -s -o /dev/null -m 5 -H "$(printf 'Host: right\xe2\x80\xaeto-left.example')" "http://$v4/"
  head -c 400000 /dev/zero | curl -s -o /dev/null -m 5 -H 'Host: upload.example.org' -T - "http://$v4/upload"
  curl -s -o /dev/null -m 2 "http://$v4:81/"
  dig +tries=1 +time=1 "@$v4" '<b>bold</b>.example' >/dev/null
  (exec 3<>"/dev/tcp/${v4%.*}.66/993" && head -c 20000 <&3 >/dev/null)
  dig +tries=1 +time=1 "@$v4" "host$round.example.org" >/dev/null
  ping -q -c 2 -i 0.2 "$v4" >/dev/null
  ping -q -c 2 -i 0.2 "$v6" >/dev/null
  echo "round $round"
  sleep 0.3
done
