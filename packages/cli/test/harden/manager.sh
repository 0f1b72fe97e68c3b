# A systemd of its own, as a user manager, in namespaces of their own: $1 is the unit, /srv what only this sees.
# Prints what came of it, NAME=VALUE a line.
set -eu
export XDG_RUNTIME_DIR=/run/manager XDG_CONFIG_HOME=/srv/config SYSTEMD_LOG_LEVEL=err
ip link set lo up
mount -t tmpfs tmpfs /run
mkdir -p /run/systemd/system /run/manager /srv/config/systemd/user
unit=/srv/config/systemd/user/moat.service
# Everybody is root here, and a user manager changes to no other user.
sed -e '/^User=/d; /^Group=/d' "$1" >$unit

control() { systemctl --user "$@"; }
show() { control show -p "$1" --value moat; }
# Until a command says so; who waits for it ends this in the end.
until_so() { until "$@"; do sleep 0.1; done; }

/lib/systemd/systemd --user &
until_so test -S /run/manager/systemd/private
cp -a /run/manager/systemd/inaccessible /run/systemd/

control start moat || { cat /srv/moat.log; exit 1; }
echo "started=$(show ActiveState) $(show SubState)"
until_so eval 'test -n "$(show StatusText)"'
echo "status=$(show StatusText)"
pid=$(show MainPID)
sed -n 's/^\(CapBnd\|NoNewPrivs\|Seccomp\):\t/\1=/p' "/proc/$pid/status"
echo "writes=$(nsenter -t "$pid" -m sh -c 'touch /etc/moat-was-here 2>/dev/null && echo yes || echo no')"
echo "allocator=$(grep -o -m1 'lib[a-z]*malloc' "/proc/$pid/maps")"
echo "login=$(mosquitto_pub -h 127.0.0.1 -p 1883 -u admin -P guess -t t -m m 2>&1 | head -1)"
control reload moat
until_so grep -q config.reloaded /srv/moat.log
until_so eval 'test "$(show SubState)" = running'
echo "reloaded=$(show MainPID | sed "s/^$pid$/same/")"

# A broker that hangs gives no more signs of life.
sed -i 's/^WatchdogSec=.*/WatchdogSec=2/' $unit
control daemon-reload
control restart moat
kill -STOP "$(show MainPID)"
until_so eval 'test "$(show NRestarts)" -gt 0'
until_so eval 'test "$(show SubState)" = running'
echo "revived=$(show ActiveState)"
control stop moat
echo "stopped=$(show ActiveState) $(show Result)"
