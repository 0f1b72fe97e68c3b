"""One run of paho-mqtt against a broker; what to do comes as JSON on standard input, what happened goes out as JSON."""

import json
import ssl
import sys
import threading
import uuid

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

PATIENCE = 5


class Client:
    def __init__(self, way, client_id=None, keep=False, will=None):
        self.received = []
        self.changed = threading.Condition()
        self.state = {}
        version = {3: mqtt.MQTTv31, 4: mqtt.MQTTv311, 5: mqtt.MQTTv5}[way["version"]]
        transport = "websockets" if way["protocol"] in ("ws", "wss") else "tcp"
        clean = {} if version == mqtt.MQTTv5 else {"clean_session": not keep}
        name = client_id or uuid.uuid4().hex[:20]
        self.paho = mqtt.Client(client_id=name, protocol=version, transport=transport, **clean)
        if transport == "websockets":
            self.paho.ws_set_options(path="/mqtt")
        if way["protocol"] in ("mqtts", "wss"):
            self.paho.tls_set(ca_certs=way["ca"], tls_version=ssl.PROTOCOL_TLS_CLIENT)
        if "username" in way:
            self.paho.username_pw_set(way["username"], way["password"])
        if will is not None:
            self.paho.will_set(will, "gone", qos=1)
        self.paho.on_connect = lambda c, u, flags, code, p=None: self.note(connect=int(getattr(code, "value", code)))
        self.paho.on_subscribe = lambda c, u, mid, codes, p=None: self.note(subscribe=mid)
        self.paho.on_publish = lambda c, u, mid: self.note(publish=mid)
        self.paho.on_message = self.on_message
        options = {}
        if version == mqtt.MQTTv5:
            properties = Properties(PacketTypes.CONNECT)
            properties.SessionExpiryInterval = 60 if keep else 0
            options = {"clean_start": not keep, "properties": properties}
        self.paho.connect(way["host"], way["port"], keepalive=30, **options)
        self.paho.loop_start()
        self.code = self.wait("connect")

    def note(self, **news):
        with self.changed:
            self.state.update(news)
            self.changed.notify_all()

    def on_message(self, _client, _data, message):
        with self.changed:
            self.received.append([message.topic, message.payload.decode(), message.qos, bool(message.retain)])
            self.changed.notify_all()

    def wait(self, key, value=None):
        with self.changed:
            known = self.changed.wait_for(
                lambda: key in self.state and (value is None or self.state[key] == value), PATIENCE
            )
            if not known:
                raise TimeoutError(f"no {key}")
            return self.state[key]

    def next(self, count):
        with self.changed:
            self.changed.wait_for(lambda: len(self.received) >= count, PATIENCE)
            return self.received

    def subscribe(self, topic, qos):
        self.wait("subscribe", self.paho.subscribe(topic, qos)[1])

    def publish(self, topic, payload, qos, retain=False):
        self.paho.publish(topic, payload, qos, retain).wait_for_publish(PATIENCE)

    def end(self):
        self.paho.disconnect()
        self.paho.loop_stop()


def main():
    way = json.load(sys.stdin)
    topic = way["topic"]
    client = Client(way)
    if client.code != 0:
        client.paho.loop_stop()
        return {"refused": client.code}

    client.subscribe(f"{topic}/qos", 2)
    for qos in (0, 1, 2):
        client.publish(f"{topic}/qos", f"zwölf {qos}", qos)
    found = {"qos": sorted(client.next(3))}

    client.publish(f"{topic}/kept", "kept", 1, retain=True)
    finder = Client(way)
    finder.subscribe(f"{topic}/#", 1)
    found["retained"] = finder.next(1)[:]

    dying = Client(way, will=f"{topic}/will")
    finder.received.clear()
    dying.paho.loop_stop()
    dying.paho._sock_close()
    found["will"] = finder.next(1)
    finder.end()

    name = f"keeps-{way['version']}-{way['protocol']}"
    keeper = Client(way, name, keep=True)
    keeper.subscribe(f"{topic}/session", 1)
    keeper.end()
    for payload in ("a", "b"):
        client.publish(f"{topic}/session", payload, 1)
    resumed = Client(way, name, keep=True)
    found["session"] = resumed.next(2)
    resumed.end()
    client.end()
    return found


json.dump(main(), sys.stdout)
