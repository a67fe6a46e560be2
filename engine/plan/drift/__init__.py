"""What is not as it was left: the files, the generation in force, the processes and the venues held against each
other. Pure; `engine.control.drift` asks, and does what a person says about a finding.
"""
