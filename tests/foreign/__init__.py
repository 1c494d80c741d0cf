"""Third-party clients of EWS, Graph and Re:infer, run against the simulators over real sockets by `make foreign`.

Each client has a test file `test_<client>.py` and a folder with its program and its pinned packages (requirements.txt,
package.json with package-lock.json, pom.xml). Most programs read one JSON object from standard input and write one to standard
output. `installing` installs the packages into a folder outside the project. It skips a test if a program that the client needs
(such as Node, Java or Cargo) is missing.
"""
