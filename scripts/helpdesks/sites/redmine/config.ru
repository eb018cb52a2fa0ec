# Redmine behind puma. A transaction takes SQLite's write lock when it begins: one that first reads and then writes cannot wait for
# another and fails at once ("database is locked", answered as 500).
require '/usr/share/redmine/config/environment'

module WriteLockAtOnce
  def begin_db_transaction
    log('begin immediate transaction', 'TRANSACTION') { @connection.transaction(:immediate) }
  end
end
ActiveRecord::ConnectionAdapters::SQLite3Adapter.prepend(WriteLockAtOnce)

run Rails.application
