// RUN: lamina-opt %s -p 'te-choose-schedules{target="cpu:skylake-avx512"}' --split-input-file | filecheck %s
// RUN: lamina-opt %s -p 'te-choose-schedules{target="cpu:skylake-avx512" threads=3}' --split-input-file | filecheck %s --check-prefix=THREADS
// RUN: lamina-opt %s -p 'te-choose-schedules{target="cpu:cascadelake"}' --split-input-file | filecheck %s --check-prefix=DOT4
// RUN: lamina-opt %s -p 'te-choose-schedules{target="opencl:intel-gen9"}' --split-input-file | filecheck %s --check-prefix=SUBGROUP

// 28 accumulators of 16 lanes: 14 pixels by 2 vectors of channels, the window stays rolled.
// CHECK-LABEL: func.func @contraction_over_blocked_layouts
// CHECK:         schedule [split oc 32 oco oci, split oci 16 ocm ocv, split ow 14 owo owi, split ic 16 ico ici,
// CHECK-SAME:      ico kh kw ici owi ocm ocv, parallel {{.*}}, unroll owi ocm, vector ocv]
// For three threads, 19 rows each but for the last one, around everything else.
// THREADS-LABEL: func.func @contraction_over_blocked_layouts
// THREADS:         schedule [{{.*}}split oh 19 oht ohi, {{.*}}order oht {{.*}}ohi {{.*}}ocv, parallel oht, unroll
// A subgroup computes a row of pixels; a row of the window is unrolled, with the block of inputs
// whose elements are lanes of what one message brings. All loops around it are steps of the grid.
// SUBGROUP-LABEL: func.func @contraction_over_blocked_layouts
// SUBGROUP:         schedule [split oc 32 oco oci, split oci 16 ocm ocv, split ow 7 owo owi, split ic 16 ico ici,
// SUBGROUP-SAME:      order oh owo oco ico kh kw ici owi ocm ocv, parallel oh owo oco, unroll kw ici owi ocm, vector ocv]
func.func @contraction_over_blocked_layouts(
    %x: memref<4x58x58x16xf32>, %w: memref<2x4x3x3x16x32xf32>, %y: memref<4x56x56x16xf32>) {
  te.compute
    axes(oc: 64, oh: 56, ow: 56, reduce ic: 64, reduce kh: 3, reduce kw: 3)
    ins(%x[ic floordiv 16, oh + kh, ow + kw, ic mod 16],
        %w[oc floordiv 32, ic floordiv 16, kh, kw, ic mod 16, oc mod 32])
    out(%y[oc floordiv 16, oh, ow, oc mod 16])
    init 0.0 : f32
    : memref<4x58x58x16xf32>, memref<2x4x3x3x16x32xf32>, memref<4x56x56x16xf32>
    (%a: f32, %b: f32, %acc: f32) {
      %s = math.fma %a, %b, %acc : f32
      te.yield %s : f32
    }
  func.return
}

// -----

// The window is unrolled, because neighbouring outputs share what they load.
// CHECK-LABEL: func.func @window_of_each_channel
// CHECK:         unroll kh kw {{.*}}, vector cv]
// What is read again is in registers along a row; there are more rows than a unit needs at once.
// SUBGROUP-LABEL: func.func @window_of_each_channel
// SUBGROUP:         order co oh owo kh kw owi cv, parallel co oh owo, unroll kw owi, vector cv]
func.func @window_of_each_channel(%x: memref<4x30x30x16xf32>, %y: memref<4x28x28x16xf32>) {
  te.compute
    axes(c: 64, oh: 28, ow: 28, reduce kh: 3, reduce kw: 3)
    ins(%x[c floordiv 16, oh + kh, ow + kw, c mod 16])
    out(%y[c floordiv 16, oh, ow, c mod 16])
    init 0.0 : f32
    : memref<4x30x30x16xf32>, memref<4x28x28x16xf32>
    (%a: f32, %acc: f32) {
      %s = arith.addf %acc, %a : f32
      te.yield %s : f32
    }
  func.return
}

// -----

// Several blocks of channels at once, so that additions need not wait for each other.
// CHECK-LABEL: func.func @mean_over_a_map
// CHECK:         schedule [split c 192 co ci, split ci 16 cm cv, order co h w cm cv, parallel co, unroll cm, vector cv]
func.func @mean_over_a_map(%x: memref<128x7x7x16xf32>, %y: memref<2048xf32>) {
  te.compute
    axes(c: 2048, reduce h: 7, reduce w: 7) ins(%x[c floordiv 16, h, w, c mod 16]) out(%y[c])
    init 0.0 : f32
    : memref<128x7x7x16xf32>, memref<2048xf32>
    (%a: f32, %acc: f32) {
      %s = arith.addf %acc, %a : f32
      te.yield %s : f32
    }
  func.return
}

// -----

// A row is one chain of sums; several rows at once hide its latency.
// CHECK-LABEL: func.func @sums_of_rows_are_scalar
// CHECK:         schedule [split i 11 io ii, order io k ii, parallel io, unroll ii]
// What takes so short a time is not shared out.
// THREADS-LABEL: func.func @sums_of_rows_are_scalar
// THREADS:         schedule [split i 11 io ii, order io k ii, unroll ii]
// Lanes may have a row each: a message with an address for each lane costs less than idle lanes.
// SUBGROUP-LABEL: func.func @sums_of_rows_are_scalar
// SUBGROUP:         schedule [split i 16 io iv, order io k iv, parallel io, vector iv]
func.func @sums_of_rows_are_scalar(%x: memref<64x100xf32>, %y: memref<64xf32>) {
  te.compute
    axes(i: 64, reduce k: 100) ins(%x[i, k]) out(%y[i]) init 0.0 : f32
    : memref<64x100xf32>, memref<64xf32>
    (%a: f32, %acc: f32) {
      %s = arith.addf %acc, %a : f32
      te.yield %s : f32
    }
  func.return
}

// -----

// CHECK-LABEL: func.func @schedule_that_is_there_stays
// CHECK:         schedule [vector i]
func.func @schedule_that_is_there_stays(%x: memref<16xf32>, %y: memref<16xf32>) {
  te.compute
    axes(i: 16) ins(%x[i]) out(%y[i]) init 0.0 : f32
    schedule [vector i]
    : memref<16xf32>, memref<16xf32>
    (%a: f32, %acc: f32) { te.yield %a : f32 }
  func.return
}

// -----

// A row at an integer is one vector.
// CHECK-LABEL: func.func @rows_at_integers
// CHECK:         schedule [{{.*}}split c 16 co cv, {{.*}}, vector cv]
func.func @rows_at_integers(%rows: memref<100xi32>, %x: memref<1000x64xf32>, %y: memref<100x64xf32>) {
  te.compute axes(r: 100, c: 64) ins(%rows[r] as i: 1000, %x[i, c]) out(%y[r, c]) init 0.0 : f32
    : memref<100xi32>, memref<1000x64xf32>, memref<100x64xf32>
    (%i: i32, %a: f32, %acc: f32) { te.yield %a : f32 }
  func.return
}

// -----

// Where the output lies along the integers, a load for every lane is cheaper than a store for every
// lane of another axis; the integers do not make the vector shorter, though they have 64 bits.
// CHECK-LABEL: func.func @integers_along_the_lanes
// CHECK:         schedule [split c 16 co cv, {{.*}}, vector cv]
func.func @integers_along_the_lanes(%at: memref<512xi64>, %x: memref<32x28x16xf32>, %y: memref<32x28x16xf32>) {
  te.compute axes(c: 512, w: 28) ins(%at[c] as i: 512, %x[i floordiv 16, w, i mod 16]) out(%y[c floordiv 16, w, c mod 16]) init 0.0 : f32
    : memref<512xi64>, memref<32x28x16xf32>, memref<32x28x16xf32>
    (%i: i64, %a: f32, %acc: f32) { te.yield %a : f32 }
  func.return
}

// -----

// Lanes cannot divide what is in part their own and in part shared.
// CHECK-LABEL: func.func @division_of_a_sum_with_an_integer
// CHECK:         schedule
// CHECK-NOT:     vector
// CHECK:         func.return
func.func @division_of_a_sum_with_an_integer(%at: memref<16xi32>, %x: memref<8x8xf32>, %y: memref<8x8x16xf32>) {
  te.compute axes(h: 8, w: 8, c: 16) ins(%at[c] as i: 8, %x[(i + h) floordiv 2, w]) out(%y[h, w, c]) init 0.0 : f32
    : memref<16xi32>, memref<8x8xf32>, memref<8x8x16xf32>
    (%i: i32, %a: f32, %acc: f32) { te.yield %a : f32 }
  func.return
}

// -----

// Rows would be uneven shares, and tiles of them too: two threads of three have 8 blocks of outputs.
// A long sum has a second row of accumulators, so there is room for one of two blocks of outputs.
// SUBGROUP-LABEL: func.func @small_map_of_many_channels
// SUBGROUP:         order oco ocm oh ico kh kw ici ow ocv, parallel oco ocm oh, unroll kw ici ow, vector ocv]
// THREADS-LABEL: func.func @small_map_of_many_channels
// THREADS:         schedule [split oc 256 oct {{.*}}order oct {{.*}}parallel oct, unroll
func.func @small_map_of_many_channels(
    %x: memref<32x9x9x16xf32>, %w: memref<24x32x3x3x16x32xf32>, %y: memref<48x7x7x16xf32>) {
  te.compute
    axes(oc: 768, oh: 7, ow: 7, reduce ic: 512, reduce kh: 3, reduce kw: 3)
    ins(%x[ic floordiv 16, oh + kh, ow + kw, ic mod 16],
        %w[oc floordiv 32, ic floordiv 16, kh, kw, ic mod 16, oc mod 32])
    out(%y[oc floordiv 16, oh, ow, oc mod 16])
    init 0.0 : f32
    : memref<32x9x9x16xf32>, memref<24x32x3x3x16x32xf32>, memref<48x7x7x16xf32>
    (%a: f32, %b: f32, %acc: f32) {
      %s = math.fma %a, %b, %acc : f32
      te.yield %s : f32
    }
  func.return
}

// -----

// A loop around the op is shared out already.
// THREADS-LABEL: func.func @inside_a_parallel_loop
// THREADS:         loop.for %n < 3 parallel
// THREADS:           schedule [split i 4 io ii, split c 32 co ci, split ci 16 cm cv, order io co ii
func.func @inside_a_parallel_loop(%x: memref<3x4096x64xf32>, %y: memref<3x4096x64xf32>) {
  loop.for %n < 3 parallel {
    te.compute at(n = %n)
      axes(i: 4096, c: 64) ins(%x[n, i, c]) out(%y[n, i, c]) init 0.0 : f32
      : memref<3x4096x64xf32>, memref<3x4096x64xf32>
      (%a: f32, %acc: f32) { te.yield %a : f32 }
  }
  func.return
}

// -----

// 64 MB of weights come from memory each time, at 12 GB/s.
// SUBGROUP-LABEL: func.func private @product
// SUBGROUP:         split i 16 io ii, order oo io ii om ov, parallel oo, unroll ii om, vector ov]
// CHECK-LABEL: func.func @main
// CHECK:       func.func private @product
// CHECK-SAME:    attributes {lamina.seconds = 0.005
func.func @main(%x: memref<4096xf32>, %w: memref<4096x4096xf32>, %y: memref<4096xf32>) {
  func.call @product(%x, %w, %y) : (memref<4096xf32>, memref<4096x4096xf32>, memref<4096xf32>) -> ()
  func.return
}
func.func private @product(%x: memref<4096xf32>, %w: memref<4096x4096xf32>, %y: memref<4096xf32>) {
  te.compute
    axes(o: 4096, reduce i: 4096) ins(%x[i], %w[i, o]) out(%y[o]) init 0.0 : f32
    : memref<4096xf32>, memref<4096x4096xf32>, memref<4096xf32> (%a: f32, %b: f32, %acc: f32) {
      %s = math.fma %a, %b, %acc : f32
      te.yield %s : f32
    }
  func.return
}

// -----

// Four neighbouring bytes are one product. Where that is one instruction, the tile is that of floats;
// elsewhere some registers are for what stands for it.
// DOT4-LABEL:  func.func @contraction_of_bytes
// DOT4:          schedule [split oc 32 oco oci, split oci 16 ocm ocv, split ow 14 owo owi, split ic 16 ico ici, split ici 4 icm icg, dot4 icg,
// DOT4-SAME:       ico kh kw icm owi ocm ocv, parallel {{.*}}, unroll owi ocm, vector ocv]
// CHECK-LABEL: func.func @contraction_of_bytes
// CHECK:         dot4 icg, {{.*}}, vector ocv]
// THREADS-LABEL: func.func @contraction_of_bytes
// THREADS:         dot4 icg, order oht {{.*}}ohi {{.*}}ocv, parallel oht, unroll
func.func @contraction_of_bytes(
    %x: memref<4x58x58x16xui8>, %w: memref<2x4x3x3x4x32x4xi8>, %y: memref<4x56x56x16xi32>) {
  te.compute
    axes(oc: 64, oh: 56, ow: 56, reduce ic: 64, reduce kh: 3, reduce kw: 3)
    ins(%x[ic floordiv 16, oh + kh, ow + kw, ic mod 16],
        %w[oc floordiv 32, ic floordiv 16, kh, kw, (ic mod 16) floordiv 4, oc mod 32, ic mod 4])
    out(%y[oc floordiv 16, oh, ow, oc mod 16])
    init 0 : i32
    : memref<4x58x58x16xui8>, memref<2x4x3x3x4x32x4xi8>, memref<4x56x56x16xi32>
    (%a: i8, %b: i8, %acc: i32) {
      %ax = arith.extui %a : i8 to i32
      %bx = arith.extsi %b : i8 to i32
      %p = arith.muli %ax, %bx : i32
      %s = arith.addi %acc, %p : i32
      te.yield %s : i32
    }
  func.return
}

// -----

// Neighbours in both rows, whatever the layouts say; two unsigned sides have no such product.
// CHECK-LABEL: func.func @rows_times_rows
// CHECK:         schedule [{{.*}}split k 4 ko kg, dot4 kg, {{.*}}
// CHECK:         schedule
// CHECK-NOT:     dot4
// CHECK:         func.return
func.func @rows_times_rows(%x: memref<32x256xui8>, %w: memref<64x256xi8>, %v: memref<64x256xui8>, %y: memref<32x64xi32>) {
  te.compute
    axes(m: 32, n: 64, reduce k: 256) ins(%w[n, k], %x[m, k]) out(%y[m, n]) init 0 : i32
    : memref<64x256xi8>, memref<32x256xui8>, memref<32x64xi32> (%b: i8, %a: i8, %acc: i32) {
      %bx = arith.extsi %b : i8 to i32
      %ax = arith.extui %a : i8 to i32
      %p = arith.muli %ax, %bx : i32
      %s = arith.addi %acc, %p : i32
      te.yield %s : i32
    }
  te.compute
    axes(m: 32, n: 64, reduce k: 256) ins(%v[n, k], %x[m, k]) out(%y[m, n]) init 0 : i32
    : memref<64x256xui8>, memref<32x256xui8>, memref<32x64xi32> (%b: i8, %a: i8, %acc: i32) {
      %bx = arith.extui %b : i8 to i32
      %ax = arith.extui %a : i8 to i32
      %p = arith.muli %ax, %bx : i32
      %s = arith.addi %acc, %p : i32
      te.yield %s : i32
    }
  func.return
}

// -----

// Lanes are as many as there are of the widest number on the way: bytes in, bytes out, floats between.
// CHECK-LABEL: func.func @bytes_rescaled
// CHECK:         schedule [{{.*}}split ii 16 im iv, {{.*}}vector iv]
func.func @bytes_rescaled(%x: memref<4096xui8>, %y: memref<4096xui8>) {
  te.compute axes(i: 4096) ins(%x[i]) out(%y[i]) init 0 : i8 : memref<4096xui8>, memref<4096xui8>
    (%a: i8, %acc: i8) {
      %x1 = int8.dequantize %a from <u8, 0.5, 3> : i8
      %q = int8.quantize %x1 to <u8, 0.75, 1> : f32
      te.yield %q : i8
    }
  func.return
}

// -----

// Vectors of bytes lie one behind the other along v: four steps of q are one product if unrolled.
// DOT4-LABEL: func.func @windows_of_bytes
// DOT4:         unroll p q {{.*}}vector
func.func @windows_of_bytes(%x: memref<12x29x29x16xui8>, %w: memref<12x3x3x16xi8>, %y: memref<12x14x14x16xi32>) {
  te.compute
    axes(c: 192, h: 14, v: 14, reduce p: 3, reduce q: 3)
    ins(%x[c floordiv 16, h * 2 + p, v * 2 + q, c mod 16], %w[c floordiv 16, p, q, c mod 16])
    out(%y[c floordiv 16, h, v, c mod 16]) init 0 : i32
    : memref<12x29x29x16xui8>, memref<12x3x3x16xi8>, memref<12x14x14x16xi32> (%a: i8, %b: i8, %acc: i32) {
      %ax = arith.extui %a : i8 to i32
      %bx = arith.extsi %b : i8 to i32
      %m = arith.muli %ax, %bx : i32
      %s = arith.addi %acc, %m : i32
      te.yield %s : i32
    }
  func.return
}
