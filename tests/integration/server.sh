#!/bin/sh -eu
# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Starts the installed database server as PID 1: server.sh SERVER_ID [more options of the server]
# `root`@`%` with the password `secret` is made outside of the binary log, so that a new server has no history.
# With SYSTEMD set, systemd is PID 1 and the server its service; whoever starts it runs /tls/init.sql.

server_id=$1
shift
name=$(hostname)
address=$(hostname -i | cut -d' ' -f1)

openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -subj "/CN=$name" -CA /tls/ca.pem -CAkey /tls/ca.key \
  -addext "subjectAltName=DNS:$name,IP:$address" -addext basicConstraints=CA:FALSE \
  -keyout /tls/server.key -out /tls/server.pem 2>/dev/null
install -d -o mysql -g mysql /run/mysqld
chown -R mysql:mysql /tls /var/lib/mysql

cat > /tls/init.sql <<SQL
SET SESSION sql_log_bin=0;
CREATE USER IF NOT EXISTS 'root'@'%' IDENTIFIED BY 'secret';
GRANT ALL ON *.* TO 'root'@'%' WITH GRANT OPTION;
SQL

set -- --user=mysql --server-id="$server_id" --bind-address=0.0.0.0 --log-bin=binlog --skip-name-resolve \
  --socket=/run/mysqld/mysqld.sock --ssl-ca=/tls/ca.pem --ssl-cert=/tls/server.pem --ssl-key=/tls/server.key \
  --innodb-flush-log-at-trx-commit=2 --sync-binlog=0 "$@"

if command -v mariadbd > /dev/null; then
  server=mariadbd
  [ -d /var/lib/mysql/mysql ] || mariadb-install-db --user=mysql --skip-test-db > /dev/null
  set -- "$@" --log-slave-updates --gtid-strict-mode=ON
else
  server=mysqld
  [ -d /var/lib/mysql/mysql ] || mysqld --no-defaults --initialize-insecure --user=mysql
  set -- "$@" --gtid-mode=ON --enforce-gtid-consistency=ON
fi

[ -n "${SYSTEMD-}" ] || exec "$server" "$@" --init-file=/tls/init.sql
{
  echo '[mysqld]'
  printf '%s\n' "$@" | sed 's/^--//'
} > /etc/mysql/my.cnf
exec /sbin/init
