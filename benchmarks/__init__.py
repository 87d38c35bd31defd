"""What `make bench` runs. Every figure stands beside that of a bare program which does the same in the same run.

rows · said         what a benchmark gives and how it is shown
child               processes of a benchmark, talked to in JSON lines
schedule · stairs   a fixed rate and who is late; which rates hold (pure)
originate           calls placed per second: engine_process beside bare_dialer
answer_to_rep       from the customer's 200 OK to the first voice: the service beside bare_bridge
answer_to_rep_backlog
                    the same while recordings are transcribed, and while not
event_lag           from AMI bytes to a WebSocket client: engine_process beside bare_dialer, through ami_relay
screen_pop          from AMI bytes to the pop at a rep's page and at a webhook, beside the plain event at the same pages
storage             attempts written per second, beside bare inserts
import_lists        rows of a list imported per second, beside a bare insert of what came of them
pacing              time of one predictive decision by reps, beside the progressive one
pacing_policy       the predictive pacer as a policy of a simulator outside
"""
