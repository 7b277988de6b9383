// RUN: lamina-opt %s -t 'lamina-opencl{target="opencl:intel-xe"}' | filecheck %s

// CHECK-LABEL: __kernel void memory(const __global float* restrict x, __global float* restrict y, __global uchar* restrict b, const __global float* p)
// CHECK-NEXT: {
// CHECK-NEXT:     const uint lane = get_sub_group_local_id();
// CHECK-NEXT:     for (uint i = 0; i < 3; ++i) {
// CHECK-NEXT:         const float aligned = as_float(intel_sub_group_block_read((const __global uint*)(x + i * 16)));
// CHECK-NEXT:         const float scalar = x[i * 16 + 5];
// CHECK-NEXT:         const float splat = x[i / 2];
// CHECK-NEXT:         const float strided = p[i + lane * 9];
// CHECK-NEXT:         intel_sub_group_block_write((__global uint*)(y + i * 16), as_uint(aligned));
// CHECK-NEXT:         y[i * 16 + 1 + lane] = splat;
// CHECK-NEXT:         y[i * 2 + lane * 3] = strided;
// CHECK-NEXT:         if (lane < 1) y[i] = scalar;
// CHECK-NEXT:         prefetch(x + i * 16 + 32, 16);
func.func @memory(%x: memref<4x16xf32>, %y: memref<64xf32>, %b: memref<64xi8>, %p: memref<16x9xf32> {lamina.may_alias}) {
  loop.for %i < 3 {
    %aligned = vec.load %x[%i, 0] : memref<4x16xf32> -> vector<16xf32>
    %scalar = vec.load %x[%i, 5] : memref<4x16xf32> -> f32
    %splat = vec.load_splat %x[0, %i floordiv 2] : memref<4x16xf32> -> vector<16xf32>
    %strided = vec.load_strided %p[0, %i] stride 9 : memref<16x9xf32> -> vector<16xf32>
    vec.store %aligned, %y[%i * 16] : vector<16xf32>, memref<64xf32>
    vec.store %splat, %y[%i * 16 + 1] : vector<16xf32>, memref<64xf32>
    vec.store_strided %strided, %y[%i * 2] stride 3 : vector<16xf32>, memref<64xf32>
    vec.store %scalar, %y[%i] : f32, memref<64xf32>
    vec.prefetch %x[%i + 2, 0] : memref<4x16xf32>
    %byte = arith.constant dense<-1> : vector<16xi8>
    vec.store %byte, %b[%i * 16] : vector<16xi8>, memref<64xi8>
    %bytes = vec.load %b[%i * 16] : memref<64xi8> -> vector<16xi8>
    vec.store %bytes, %b[%i * 16] : vector<16xi8>, memref<64xi8>
  }
  func.return
}
// CHECK-NEXT:         intel_sub_group_block_write_uc((__global uchar*)(b + i * 16), ((uchar)255u));
// CHECK-NEXT:         const uchar bytes = intel_sub_group_block_read_uc((const __global uchar*)(b + i * 16));
// CHECK-NEXT:         intel_sub_group_block_write_uc((__global uchar*)(b + i * 16), bytes);

// CHECK-LABEL: __kernel void groups_of_bytes(
// CHECK:          const uint a = as_uint(vload4(0, x + 7));
// CHECK-NEXT:     const uint b = intel_sub_group_block_read((const __global uint*)(w + 64));
// CHECK-NEXT:     const uint c = as_uint(vload4(0, w + 3 + lane * 4));
// CHECK-NEXT:     const uint d = intel_sub_group_block_read((const __global uint*)(y + 0));
// CHECK-NEXT:     const uint e = d + as_uint(as_uchar4(a).x * as_char4(b).x + as_uchar4(a).y * as_char4(b).y + as_uchar4(a).z * as_char4(b).z + as_uchar4(a).w * as_char4(b).w);
// CHECK-NEXT:     const uint f = as_uint(c);
// CHECK-NEXT:     vstore4(as_uchar4(c), 0, z + lane * 8);
func.func @groups_of_bytes(%x: memref<16xi8>, %w: memref<128xi8>, %y: memref<16xi32>, %z: memref<128xi8>) {
  %a = vec.load_splat %x[7] : memref<16xi8> -> vector<16x4xi8>
  %b = vec.load %w[64] : memref<128xi8> -> vector<16x4xi8>
  %c = vec.load %w[3] : memref<128xi8> -> vector<16x4xi8>
  %d = vec.load %y[0] : memref<16xi32> -> vector<16xi32>
  %e = int8.dot4 %d, %a, %b : vector<16xi32>, vector<16x4xi8>, vector<16x4xi8>
  %f = vec.bitcast %c : vector<16x4xi8> to vector<16xi32>
  vec.store_strided %c, %z[0] stride 8 : vector<16x4xi8>, memref<128xi8>
  func.return
}

// CHECK-LABEL: __kernel void arithmetic(
// CHECK:          const uint q = i * i;
// CHECK-NEXT:     const uint r = as_uint((int)(as_int(i) >> as_int(3u)));
// CHECK-NEXT:     const uint s = as_uint((int)(max(as_int(i), as_int(4294967295u))));
// CHECK-NEXT:     const float f = convert_float(as_int(i));
// CHECK-NEXT:     const float g = convert_float(i);
// CHECK-NEXT:     const uint h = as_uint(convert_int_sat(f));
// CHECK-NEXT:     const uint k = convert_uint_sat(f);
// CHECK-NEXT:     const uchar t = convert_uchar(i);
// CHECK-NEXT:     const uint u = as_uint(convert_int(as_char(t)));
// CHECK-NEXT:     const uint w = convert_uint(t);
// CHECK-NEXT:     const float fma_1 = fma(f, g, (-1.5f));
// CHECK-NEXT:     const float e = z[0];
// CHECK-NEXT:     const float m = e != e || e < INFINITY ? e : INFINITY;
// CHECK-NEXT:     const float n = fmax(f, g);
// CHECK-NEXT:     const float neg = -f;
// CHECK-NEXT:     const float o = rint(neg);
// CHECK-NEXT:     const uint low = i * r;
// CHECK-NEXT:     const uint high = as_uint(mul_hi(as_int(i), as_int(r)));
func.func @arithmetic(%x: memref<16xi32>, %z: memref<1xf32>) {
  %c = arith.constant dense<3> : vector<16xi32>
  %minus = arith.constant dense<-1> : vector<16xi32>
  %half = arith.constant dense<-1.5> : vector<16xf32>
  %inf = arith.constant 0x7f800000 : f32
  %i = vec.load %x[0] : memref<16xi32> -> vector<16xi32>
  %q = arith.muli %i, %i : vector<16xi32>
  %r = arith.shrsi %i, %c : vector<16xi32>
  %s = arith.maxsi %i, %minus : vector<16xi32>
  %f = vec.convert %i : vector<16xi32> to vector<16xf32>
  %g = vec.convert unsigned %i : vector<16xi32> to vector<16xf32>
  %h = vec.convert %f : vector<16xf32> to vector<16xi32>
  %k = vec.convert unsigned %f : vector<16xf32> to vector<16xi32>
  %t = vec.convert %i : vector<16xi32> to vector<16xi8>
  %u = vec.convert %t : vector<16xi8> to vector<16xi32>
  %w = vec.convert unsigned %t : vector<16xi8> to vector<16xi32>
  %fma = math.fma %f, %g, %half : vector<16xf32>
  %e = vec.load %z[0] : memref<1xf32> -> f32
  %m = arith.minimumf %e, %inf : f32
  %n = arith.maxnumf %f, %g : vector<16xf32>
  %neg = arith.negf %f : vector<16xf32>
  %o = math.roundeven %neg : vector<16xf32>
  %low, %high = arith.mulsi_extended %i, %r : vector<16xi32>
  %both = arith.addi %low, %high : vector<16xi32>
  func.return
}

// CHECK-LABEL: __kernel void carried_values_change_places(
// CHECK:          float a = z;
// CHECK-NEXT:     float b = 1.0f;
// CHECK-NEXT:     for (uint k = 0; k < 3; ++k) {
// CHECK-NEXT:         const float next = b;
// CHECK-NEXT:         const float next_1 = a;
// CHECK-NEXT:         a = next;
// CHECK-NEXT:         b = next_1;
// CHECK-NEXT:     }
// CHECK-NEXT:     if (lane < 1) y[0] = a;
func.func @carried_values_change_places(%x: memref<1xf32>, %y: memref<1xf32>) {
  %one = arith.constant 1.0 : f32
  %z = vec.load %x[0] : memref<1xf32> -> f32
  %r, %s = loop.for %k < 3 iter(%a = %z, %b = %one) : f32 {
    loop.yield %b, %a : f32, f32
  }
  vec.store %r, %y[0] : f32, memref<1xf32>
  func.return
}

// Three indices share the last dimension of the grid; a nest inside of the step is a loop.
// CHECK:       // a subgroup of 16 for each of g < 5, h < 2, i < 4, j < 3, k < 4
// CHECK-LABEL: __kernel void grid(
// CHECK-NEXT:  {
// CHECK-NEXT:      const uint lane = get_sub_group_local_id();
// CHECK-NEXT:      const uint k = get_group_id(0);
// CHECK-NEXT:      const uint j = get_group_id(1);
// CHECK-NEXT:      const uint i = get_group_id(2) % 4;
// CHECK-NEXT:      const uint h = get_group_id(2) / 4 % 2;
// CHECK-NEXT:      const uint g = get_group_id(2) / 8;
// CHECK-NEXT:      for (uint l = 0; l < 2; ++l) {
// CHECK-NEXT:          if (lane < 1) y[g * 192 + h * 96 + i * 24 + j * 8 + k * 2 + l] = 1.0f;
// CHECK-NEXT:      }
// CHECK-NEXT: }
func.func @grid(%y: memref<5x2x4x3x4x2xf32>) {
  %one = arith.constant 1.0 : f32
  loop.for %g < 5, %h < 2, %i < 4, %j < 3, %k < 4 parallel attributes {lamina.grid = array<i64: 2, 2, 2, 1, 0>} {
    loop.for %l < 2 {
      vec.store %one, %y[%g, %h, %i, %j, %k, %l] : f32, memref<5x2x4x3x4x2xf32>
    }
  }
  func.return
}

// Each nest is a kernel of the buffers that it uses, and computes for itself what both need.
// CHECK-LABEL: __kernel void several_nest0(const __global float* restrict x, __global float* restrict z)
// CHECK-NEXT:  {
// CHECK-NEXT:      const uint lane = get_sub_group_local_id();
// CHECK-NEXT:      const uint i = get_group_id(0);
// CHECK-NEXT:      const float two = -(-2.0f);
// CHECK:       __kernel void several_nest1(__global float* restrict y)
// CHECK:           const float two = -(-2.0f);
// CHECK-NEXT:      if (lane < 1) y[i] = two;
func.func @several(%x: memref<2xf32>, %y: memref<3xf32>, %z: memref<2xf32>) {
  %minus = arith.constant -2.0 : f32
  %two = arith.negf %minus : f32
  loop.for %i < 2 parallel attributes {lamina.grid = array<i64: 0>} {
    %v = vec.load %x[%i] : memref<2xf32> -> f32
    %w = arith.addf %v, %two : f32
    vec.store %w, %z[%i] : f32, memref<2xf32>
  }
  loop.for %i < 3 parallel attributes {lamina.grid = array<i64: 0>} {
    vec.store %two, %y[%i] : f32, memref<3xf32>
  }
  func.return
}

// Of a vector with fewer lanes than a subgroup, the last lane is loaded again, and stored once.
// CHECK-LABEL: __kernel void ragged(
// CHECK-NEXT:  {
// CHECK-NEXT:      const uint lane = get_sub_group_local_id();
// CHECK-NEXT:      const uint lane_of_5 = min(lane, 4u);
// CHECK-NEXT:      const float a = x[16 + lane_of_5];
// CHECK-NEXT:      const float b = x[lane_of_5 * 4];
// CHECK:           if (lane < 5) y[lane_of_5] = c;
// CHECK-NEXT:      if (lane < 5) y[8 + lane_of_5 * 2] = c;
func.func @ragged(%x: memref<21xf32>, %y: memref<17xf32>) {
  %a = vec.load %x[16] : memref<21xf32> -> vector<5xf32>
  %b = vec.load_strided %x[0] stride 4 : memref<21xf32> -> vector<5xf32>
  %c = arith.addf %a, %b : vector<5xf32>
  vec.store %c, %y[0] : vector<5xf32>, memref<17xf32>
  vec.store_strided %c, %y[8] stride 2 : vector<5xf32>, memref<17xf32>
  func.return
}

// CHECK-LABEL: __kernel void comparisons(const __global float* restrict x, const __global uint* restrict i, __global uchar* restrict y, __global float* restrict z)
// CHECK:          const bool less = a < 2.5f;
// CHECK-NEXT:     const bool unordered = a != a || b != b;
// CHECK-NEXT:     const bool below = as_int(k) < as_int(7u);
// CHECK-NEXT:     const bool above = k > 7u;
// CHECK-NEXT:     const bool both = less & below;
// CHECK-NEXT:     const bool none = both ^ 1u;
// CHECK-NEXT:     const float chosen = none ? a : b;
// CHECK-NEXT:     const float rest = fmod(a, b);
// CHECK-NEXT:     const float one = (float)(above ? 1 : 0);
// CHECK-NEXT:     const bool low = k & 1;
// CHECK-NEXT:     y[lane] = unordered;
func.func @comparisons(%x: memref<32xf32>, %i: memref<16xi32>, %y: memref<16xi1>, %z: memref<16xf32>) {
  %half = arith.constant dense<2.5> : vector<16xf32>
  %seven = arith.constant dense<7> : vector<16xi32>
  %true = arith.constant dense<true> : vector<16xi1>
  %a = vec.load %x[0] : memref<32xf32> -> vector<16xf32>
  %b = vec.load %x[16] : memref<32xf32> -> vector<16xf32>
  %k = vec.load %i[0] : memref<16xi32> -> vector<16xi32>
  %less = vec.compare "olt" %a, %half : vector<16xf32> -> vector<16xi1>
  %unordered = vec.compare "uno" %a, %b : vector<16xf32> -> vector<16xi1>
  %below = vec.compare "slt" %k, %seven : vector<16xi32> -> vector<16xi1>
  %above = vec.compare "ugt" %k, %seven : vector<16xi32> -> vector<16xi1>
  %both = arith.andi %less, %below : vector<16xi1>
  %none = arith.xori %both, %true : vector<16xi1>
  %chosen = vec.select %none, %a, %b : vector<16xi1>, vector<16xf32>
  %rest = vec.rem %a, %b : vector<16xf32>
  %one = vec.convert unsigned %above : vector<16xi1> to vector<16xf32>
  %low = vec.convert %k : vector<16xi32> to vector<16xi1>
  vec.store %unordered, %y[0] : vector<16xi1>, memref<16xi1>
  vec.store %chosen, %z[0] : vector<16xf32>, memref<16xf32>
  func.return
}

// CHECK-LABEL: __kernel void lanes_from_anywhere(
// CHECK:         const uint at_1 =
// CHECK-NEXT:    const float r = x[64 + at_1];
func.func @lanes_from_anywhere(%at: memref<16xi32>, %x: memref<4x64xf32>, %y: memref<16xf32>) {
  %at_1 = vec.load %at[0] : memref<16xi32> -> vector<16xi32>
  %r = vec.gather %x[1, 0] at %at_1 : memref<4x64xf32>, vector<16xi32> -> vector<16xf32>
  vec.store %r, %y[0] : vector<16xf32>, memref<16xf32>
  func.return
}

// An integer that was read is an index that cannot be negative; lanes divide as unsigned numbers.
// CHECK-LABEL: __kernel void places_that_were_read(
// CHECK:         const uint k = at[3];
// CHECK-NEXT:    const ulong wide = (ulong)k;
// CHECK-NEXT:    const uint i = (uint)wide;
// CHECK-NEXT:    const float r = {{.*}}(x + (i / 4) * 16)
// CHECK:         const uint q = l / 16u;
// CHECK-NEXT:    const uint m = l % 16u;
func.func @places_that_were_read(%at: memref<16xi32>, %x: memref<4x16xf32>, %y: memref<16xf32>, %z: memref<32xi32>) {
  %k = vec.load %at[3] : memref<16xi32> -> i32
  %wide = arith.extui %k : i32 to i64
  %i = arith.index_cast %wide : i64 to index
  %r = vec.load %x[%i floordiv 4, 0] : memref<4x16xf32> -> vector<16xf32>
  vec.store %r, %y[0] : vector<16xf32>, memref<16xf32>
  %l = vec.load %at[0] : memref<16xi32> -> vector<16xi32>
  %by = arith.constant dense<16> : vector<16xi32>
  %q = arith.divui %l, %by : vector<16xi32>
  %m = arith.remui %l, %by : vector<16xi32>
  vec.store %q, %z[0] : vector<16xi32>, memref<32xi32>
  vec.store %m, %z[16] : vector<16xi32>, memref<32xi32>
  func.return
}

// What is taken away from an address comes last, so that no part of it wraps around.
// CHECK-LABEL: __kernel void backwards(
// CHECK: (x + j * 16 + 128 - i * 64)
func.func @backwards(%x: memref<12x16xf32>, %y: memref<3x4x16xf32>) {
  loop.for %i < 3, %j < 4 {
    %v = vec.load %x[%i * -4 + %j + 8, 0] : memref<12x16xf32> -> vector<16xf32>
    vec.store %v, %y[%i, %j, 0] : vector<16xf32>, memref<3x4x16xf32>
  }
  func.return
}

// CHECK-LABEL: __kernel void choice_between_steps(
// CHECK:              if (i < 1) {
// CHECK-NEXT:             if (lane < 1) y[0] = 1.0f;
// CHECK-NEXT:         }
// CHECK-NEXT:         else {
// CHECK-NEXT:             if (i < 3) {
// CHECK-NEXT:                 if (lane < 1) y[i * 2 + 1] = 1.0f;
// CHECK-NEXT:             }
// CHECK-NEXT:         }
// CHECK-NEXT:     }
// CHECK-NEXT: }
func.func @choice_between_steps(%y: memref<4x2xf32>) {
  %one = arith.constant 1.0 : f32
  loop.for %i < 4 {
    loop.if %i < 1 {
      vec.store %one, %y[%i, 0] : f32, memref<4x2xf32>
    } else {
      loop.if %i < 3 {
        vec.store %one, %y[%i, 1] : f32, memref<4x2xf32>
      }
    }
  }
  func.return
}

// CHECK-LABEL: __kernel void integers_of_all_widths(
// CHECK:          const ulong c = a + 3ul;
// CHECK-NEXT:     const bool d = as_long(c) < as_long(7ul);
// CHECK-NEXT:     const uint g = f + (uint)(4u + lane * 40u);
// CHECK-NEXT:     const uint i = h + (uint)(3u + lane_of_5 * 4294967295u);
// CHECK-NEXT:     const ushort k = as_ushort((short)(max(as_short(j), as_short(((ushort)65535u)))));
// CHECK-NEXT:     const ushort m = as_ushort((short)(as_short(j) / as_short(k)));
// CHECK-NEXT:     const ushort n = as_ushort((short)(as_short(j) % as_short(k)));
func.func @integers_of_all_widths(%x: memref<1xi64>, %y: memref<16xi32>, %z: memref<16xi16>) {
  %three = arith.constant 3 : i64
  %seven = arith.constant 7 : i64
  %far = arith.constant dense<[4, 44, 84, 124, 164, 204, 244, 284, 324, 364, 404, 444, 484, 524, 564, 604]> : vector<16xi32>
  %down = arith.constant dense<[3, 2, 1, 0, -1]> : vector<5xi32>
  %minus = arith.constant dense<-1> : vector<16xi16>
  %a = vec.load %x[0] : memref<1xi64> -> i64
  %f = vec.load %y[0] : memref<16xi32> -> vector<16xi32>
  %h = vec.load %y[0] : memref<16xi32> -> vector<5xi32>
  %j = vec.load %z[0] : memref<16xi16> -> vector<16xi16>
  %c = arith.addi %a, %three : i64
  %d = arith.cmpi slt, %c, %seven : i64
  %g = arith.addi %f, %far : vector<16xi32>
  %i = arith.addi %h, %down : vector<5xi32>
  %k = arith.maxsi %j, %minus : vector<16xi16>
  %m = arith.divsi %j, %k : vector<16xi16>
  %n = arith.remsi %j, %k : vector<16xi16>
  func.return
}
