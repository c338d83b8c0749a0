"""What every service stands on; it knows neither Zeebe nor Operate.

settings           environment variables: all faults at once, redacted dump, reference rows
proxy, proxies     which proxy a URL is fetched through, and the variables that say so
http, http_errors  one bounded exchange; every error of the client in our tree
token_endpoint     one token request
oauth              tokens shared, renewed ahead, never hammered for
retry_after        the header
backoff, clock     how long to wait, and time as an argument
logs, log_writer   one JSON object a line, off the event loop
redaction          what looks like a credential
metrics            declared once, a registry for each service
health, status     the management port and what it shows
collector          how seldom Python looks for reference circles
command_line       `--version`, and what `--help` of each command tells
lifecycle          signals, tasks, drain deadline, exit codes
errors             the tree of all that can go wrong here
"""
