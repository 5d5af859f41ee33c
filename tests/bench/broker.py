"""The few questions to RabbitMQ that the measurements have: how long is a queue, make it empty."""
import amqp
import kombu.utils.url


class Broker:
    def __init__(self, url):
        self.parts = kombu.utils.url.url_to_parts(url)

    def ask(self, question):
        """A connection for each question: there are few, and minutes between them."""
        parts = self.parts
        with amqp.Connection(f"{parts.hostname}:{parts.port}", userid=parts.username,
                             password=parts.password, virtual_host=parts.path or "/") as connection:
            return question(connection.channel())

    def depth(self, queue):
        return self.ask(lambda channel: channel.queue_declare(queue, passive=True).message_count)

    def purge(self, queue):
        try:
            self.ask(lambda channel: channel.queue_purge(queue))
        except amqp.NotFound:
            pass  # nobody has asked for it yet
