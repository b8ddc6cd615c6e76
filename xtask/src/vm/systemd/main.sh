# The service that runs the tests.
export PATH=/usr/local/bin:/usr/sbin:/usr/bin:/bin:/machine/applets HOME=/root TERM=linux
mkdir -p /machine/applets
/usr/bin/busybox --install -s /machine/applets
echo "systemd $(systemctl --version | sed -n '1s/systemd \([0-9]*\).*/\1/p') after $(cut -d. -f1 /proc/uptime) s"
sh /machine/run
echo "vm ended with $?"
sync
poweroff -f
