"""Runs the migrations on the connection that `fwsm.store.schema` hands over, inside its transaction.

There is no offline mode and no own connection: a migration that fails must leave the old schema, and it does so
because everything happens in the one transaction that the caller began.
"""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    transactional_ddl=True,
    render_as_batch=False,
)
context.run_migrations()
