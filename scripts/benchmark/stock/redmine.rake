# Many issues for the benchmark, each with a note and a private note.
require '/usr/share/redmine/config/application'
RedmineApp::Application.load_tasks

task :many_tickets => :environment do
  Setting.notified_events = []
  agents = %w[agent1 agent2].map { |login| User.find_by_login(login) }
  project = Project.find('support')
  trackers, priorities = project.trackers.to_a, IssuePriority.all.to_a
  severity = IssueCustomField.find_by_name('Severity')
  Issue.transaction do
    (1..Integer(ENV.fetch('BENCH_TICKETS'))).each do |number|
      User.current = agents[number % 2]
      issue = Issue.new(:project => project, :tracker => trackers[number % trackers.size], :author => User.current)
      issue.subject = "The printer #{number} on floor #{number % 12} is on fire"
      issue.description = "Since this morning number #{number} does nothing.\n" + 'It was fine yesterday. ' * (2 + number % 9)
      issue.priority = priorities[number % priorities.size]
      issue.assigned_to = agents[0] if number % 3 > 0
      issue.custom_field_values = { severity.id.to_s => %w[Low Medium High][number % 3] }
      issue.save!
      issue.reload
      issue.init_journal(User.current, "A note on #{number}. " + 'Have looked at it. ' * (1 + number % 7))
      issue.private_notes = true
      issue.save!
      issue.reload
      issue.init_journal(User.current, "A reply on #{number}. " + 'Please switch it off and on again. ' * (1 + number % 5))
      issue.status = IssueStatus.find_by_name('In Progress') if number % 2 > 0
      issue.save!
      # As they come at work: not dozens in a second, which a reading that goes by seconds would read again and again.
      at = Time.now - 3600 * (Integer(ENV['BENCH_TICKETS']) - number + 1)
      issue.update_columns(:created_on => at - 1200, :updated_on => at)
      issue.journals.order(:id).each_with_index { |one, place| one.update_columns(:created_on => at - 600 * (1 - place)) }
    end
  end
end
