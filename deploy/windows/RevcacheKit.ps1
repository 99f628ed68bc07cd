# What the scripts of this kit share. Dot-sourced by them; does nothing by itself.
#
# No script holds a name or an address: all of them are read from kit.json as data.
#Requires -Version 5.1
#Requires -PSEdition Desktop

Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'

$KitDirectory = $PSScriptRoot
$StateDirectory = Join-Path ([Environment]::GetFolderPath('CommonApplicationData')) 'Revcache'
$StateFile = Join-Path $StateDirectory 'state.json'
$ProgramDirectory = Join-Path ([Environment]::GetFolderPath('ProgramFiles')) 'Revcache'
$TaskName = 'Revcache CRL sync'
$EapTlsKey = 'HKLM:\SYSTEM\CurrentControlSet\Services\RasMan\PPP\EAP\13'
$BypassValue = 'IgnoreNoRevocationCheck'
$CertutilPath = Join-Path ([Environment]::SystemDirectory) 'certutil.exe'
$NetshPath = Join-Path ([Environment]::SystemDirectory) 'netsh.exe'
$CrlBytesMax = 512MB

# Type names are checked at run time: a second script in the same session finds the type there.
if (-not ('Revcache.Native' -as [type])) {
    Add-Type -TypeDefinition (Get-Content -LiteralPath (Join-Path $KitDirectory 'Native.cs') -Raw)
}

function Get-KitPath([string]$Name) {
    Join-Path $KitDirectory $Name
}

function Read-Kit {
    $kit = Get-Content -LiteralPath (Get-KitPath 'kit.json') -Raw | ConvertFrom-Json
    if ($kit.schema -ne 1) { throw "kit.json has schema $($kit.schema); these scripts know 1." }
    $kit
}

# Every file is as `revcache windows-kit` wrote it. Finds damage and mix-ups; it does not replace
# a signature: who can change the files can change the manifest.
function Assert-KitIntact {
    $manifest = Get-Content -LiteralPath (Get-KitPath 'manifest.json') -Raw | ConvertFrom-Json
    foreach ($file in $manifest.files) {
        $path = Get-KitPath $file.name
        if (-not (Test-Path -LiteralPath $path -PathType Leaf)) {
            throw "$($file.name) of the kit is missing. Copy the whole directory."
        }
        $hash = (Get-FileHash -LiteralPath $path -Algorithm SHA256).Hash
        if ($hash -ne $file.sha256) {
            throw "$($file.name) is not as revcache windows-kit wrote it. Make the kit again."
        }
    }
}

function Assert-Elevated {
    $identity = [Security.Principal.WindowsIdentity]::GetCurrent()
    $principal = New-Object Security.Principal.WindowsPrincipal($identity)
    if (-not $principal.IsInRole([Security.Principal.WindowsBuiltInRole]::Administrator)) {
        throw 'Run this in an elevated PowerShell (Run as administrator).'
    }
    if (-not [Environment]::Is64BitProcess) {
        throw 'Run this in the 64-bit PowerShell: the 32-bit one sees another registry.'
    }
}

# ExitCode and Output (text) of a program. What it writes to standard error is output, no error.
function Invoke-Program([string]$Program, [string[]]$Arguments) {
    $ErrorActionPreference = 'Continue'
    $lines = & $Program @Arguments 2>&1 | ForEach-Object { "$_" }
    [PSCustomObject]@{
        ExitCode = $LASTEXITCODE
        Output = ($lines -join [Environment]::NewLine)
    }
}

# --- State: what was there before, so that Uninstall-Revcache.ps1 can put it back ---------------

function Assert-Owned([string]$Path) {
    $item = Get-Item -LiteralPath $Path -Force
    if ($item.Attributes -band [IO.FileAttributes]::ReparsePoint) {
        throw "$Path is a link. Remove it: it was not made by this kit."
    }
    $owner = (Get-Acl -LiteralPath $Path).GetOwner([Security.Principal.SecurityIdentifier])
    $own = [Security.Principal.WindowsIdentity]::GetCurrent().User
    # Administrators, SYSTEM, or whoever runs this elevated.
    if (@('S-1-5-32-544', 'S-1-5-18', $own.Value) -notcontains $owner.Value) {
        throw "$Path belongs to $owner. Remove it: it was not made by this kit."
    }
}

# Writable by administrators and SYSTEM only: everybody may create directories in ProgramData, and
# what lies there is run by SYSTEM or put back into the registry.
function Initialize-ProtectedDirectory([string]$Path) {
    if (Test-Path -LiteralPath $Path) { Assert-Owned $Path }
    $security = New-Object Security.AccessControl.DirectorySecurity
    $security.SetSecurityDescriptorSddlForm('O:BAG:BAD:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)')
    if (Test-Path -LiteralPath $Path) {
        [IO.Directory]::SetAccessControl($Path, $security)
    } else {
        [void][IO.Directory]::CreateDirectory($Path, $security)
    }
    Assert-Owned $Path
}

# A hashtable of flat names, empty before the first installation.
function Read-State {
    $state = @{}
    if (-not (Test-Path -LiteralPath $StateFile)) { return $state }
    Assert-Owned $StateDirectory
    Assert-Owned $StateFile
    $stored = Get-Content -LiteralPath $StateFile -Raw | ConvertFrom-Json
    foreach ($property in $stored.PSObject.Properties) {
        $state[$property.Name] = $property.Value
    }
    $state
}

# Before each change, so that one that is cut short can be rolled back too.
function Save-State([hashtable]$State) {
    Initialize-ProtectedDirectory $StateDirectory
    $unfinished = "$StateFile.part"
    $State | ConvertTo-Json | Set-Content -LiteralPath $unfinished -Encoding UTF8
    Move-Item -LiteralPath $unfinished -Destination $StateFile -Force
}

# --- Certificates ------------------------------------------------------------------------------

function Read-KitCertificate([string]$Name) {
    New-Object Security.Cryptography.X509Certificates.X509Certificate2((Get-KitPath $Name))
}

function Open-MachineStore([string]$Name, [string]$Mode) {
    $store = New-Object Security.Cryptography.X509Certificates.X509Store($Name, 'LocalMachine')
    $store.Open($Mode)
    $store
}

# The certificate as it lies in that store of the machine, or nothing. Its bytes are compared: a
# SHA-1 thumbprint alone proves nothing.
function Find-StoreCertificate($Store, $Certificate) {
    $wanted = [Convert]::ToBase64String($Certificate.RawData)
    foreach ($one in $Store.Certificates) {
        if ([Convert]::ToBase64String($one.RawData) -eq $wanted) { return $one }
    }
}

# Property 81 of a certificate in a store, in base64; empty: it has none.
function Get-OcspProperty([string]$StoreName, $Certificate) {
    $store = Open-MachineStore $StoreName 'ReadOnly'
    try {
        $found = Find-StoreCertificate $store $Certificate
        if (-not $found) {
            throw ("The CA certificate `"$($Certificate.Subject)`" is not in the machine's store " +
                "$StoreName. It must be trusted before: gpo.html says how.")
        }
        $value = [Revcache.Native]::GetOcspProperty($found.Handle)
        if ($null -eq $value) { return '' }
        [Convert]::ToBase64String($value)
    } finally {
        $store.Close()
    }
}

# `Base64` empty: removes it.
function Set-OcspProperty([string]$StoreName, $Certificate, [string]$Base64) {
    $store = Open-MachineStore $StoreName 'ReadWrite'
    try {
        $found = Find-StoreCertificate $store $Certificate
        if (-not $found) { throw "The certificate is no longer in the store $StoreName." }
        $value = $null
        if ($Base64) { $value = [Convert]::FromBase64String($Base64) }
        [Revcache.Native]::SetOcspProperty($found.Handle, $value)
    } finally {
        $store.Close()
    }
}

# --- WinHTTP proxy -----------------------------------------------------------------------------

# AccessType (1 direct, 3 named), Proxy, Bypass of the machine. Read by the interface that is
# documented for it: the text of netsh is translated.
function Get-WinHttpProxy {
    [Revcache.Native]::GetProxy()
}

function Set-WinHttpProxy([string]$Proxy, [string]$Bypass) {
    $arguments = @('winhttp', 'set', 'proxy', "proxy-server=$Proxy")
    if ($Bypass) { $arguments += "bypass-list=$Bypass" }
    $result = Invoke-Program $NetshPath $arguments
    if ((Get-WinHttpProxy).Proxy -ne $Proxy) {
        throw "netsh did not set the WinHTTP proxy: $($result.Output)"
    }
}

function Clear-WinHttpProxy {
    $result = Invoke-Program $NetshPath @('winhttp', 'reset', 'proxy')
    if ((Get-WinHttpProxy).AccessType -ne 1) {
        throw "netsh did not reset the WinHTTP proxy: $($result.Output)"
    }
}
